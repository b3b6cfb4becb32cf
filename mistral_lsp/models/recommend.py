"""Recommends a model for a machine, by the measured speed of another model there."""

from __future__ import annotations

from mistral_lsp.models.registry import Entry, entries

READING_RATE = 80.0
"""Minimum prompt tokens a second; a first window then takes less than 2.5 seconds."""
WRITING_RATE = 12.0
"""Minimum answer tokens a second; a line then takes about a second."""
SPARE_GIGABYTES = 1.0
"""Gigabytes of memory beside the file, for the KV cache and for all else."""
UNQUANTISED = "F16"
"""Never recommended: twice as large as Q8_0, and so half as quick."""
TIERS = ((6.0, "workstation"), (2.0, "large"), (0.4, "medium"), (0.0, "small"))
"""Minimum billions of parameters of the recommended model, and the machine's tier."""


def recommend(
    gigabytes: float, reading_rate: float, writing_rate: float, free_gigabytes: float
) -> tuple[str, str]:
    """Gives the tier of a machine, and the largest model that is quick there, in its finest file.

    The rates, in tokens a second, were measured with a model of `gigabytes`. A larger model is
    assumed to be slower in proportion to its file. This is on the safe side, since small models
    spend a larger share of time on other work. If none is quick enough, the smallest is named.
    """

    def suits(entry: Entry) -> bool:
        times = entry.gigabytes / gigabytes
        quick = reading_rate >= times * READING_RATE and writing_rate >= times * WRITING_RATE
        return quick and entry.gigabytes + SPARE_GIGABYTES <= free_gigabytes

    known = [
        (name, entry)
        for name, entry in entries().items()
        if entry.recommended and entry.quantisation != UNQUANTISED
    ]
    known.sort(key=lambda one: (one[1].parameters, one[1].gigabytes))
    name, entry = next(filter(lambda one: suits(one[1]), reversed(known)), known[0])
    return next(tier for least, tier in TIERS if entry.parameters >= least), name
