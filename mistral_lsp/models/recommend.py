"""Recommends a model for a machine, based on the measured speed of another model there."""

from __future__ import annotations

from mistral_lsp.models.registry import Entry, entries

READING_RATE = 80.0
"""Minimum number of prompt tokens read per second. A first window then takes less than 2.5 seconds.
"""
WRITING_RATE = 12.0
"""Minimum number of tokens written per second. A line then takes about a second."""
SPARE_GIGABYTES = 1.0
"""Gigabytes of memory needed in addition to the file, for the KV cache and everything else."""
UNQUANTISED = "F16"
"""A quantisation that is never recommended. It is twice as large as Q8_0, and so half as fast."""
TIERS = ((6.0, "workstation"), (2.0, "large"), (0.4, "medium"), (0.0, "small"))
"""Tiers of machines: the minimum billions of parameters of the recommended model, and the tier's
name.
"""


def recommend(
    gigabytes: float, reading_rate: float, writing_rate: float, free_gigabytes: float
) -> tuple[str, str]:
    """Gives the tier of a machine and the name of the largest model that is fast enough there.

    The rates, in tokens per second, were measured with a model of `gigabytes`. A model of twice
    this size is assumed to be half as fast. That is a cautious estimate, because small models spend
    a larger share of their time on other work. Of a model's files, the largest is chosen that is
    fast enough and fits into memory. If no model qualifies, the smallest is recommended.
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
