"""Which known model suits a machine, by the speed of another one that was measured there."""

from __future__ import annotations

from mistral_lsp.models.registry import Entry, entries

READING_RATE = 80.0
"""Tokens of a prompt in a second: a first window in less than 2.5 seconds."""
WRITING_RATE = 12.0
"""Tokens of an answer in a second: a line in about one."""
SPARE_GIGABYTES = 1.0
"""Memory beside the file, for the KV cache and for all else."""
TIERS = ((6.0, "workstation"), (2.0, "large"), (0.4, "medium"), (0.0, "small"))
"""Billions of parameters of the recommended model from which on a machine is called so."""


def recommend(
    gigabytes: float, reading_rate: float, writing_rate: float, free_gigabytes: float
) -> tuple[str, str]:
    """The tier of a machine, and the largest model that is quick there.

    A model of some `gigabytes` was measured to read and write at these rates, in tokens a second. A
    larger one is taken to be slower as its file is larger, which is on the safe side: small models
    lose more time beside the weights. Where none is quick enough, the smallest is named.
    """

    def suits(entry: Entry) -> bool:
        times = entry.gigabytes / gigabytes
        quick = reading_rate >= times * READING_RATE and writing_rate >= times * WRITING_RATE
        return quick and entry.gigabytes + SPARE_GIGABYTES <= free_gigabytes

    known = [(name, entry) for name, entry in entries().items() if entry.recommended]
    known.sort(key=lambda one: one[1].parameters)
    name, entry = next(filter(lambda one: suits(one[1]), reversed(known)), known[0])
    return next(tier for least, tier in TIERS if entry.parameters >= least), name
