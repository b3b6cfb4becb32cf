"""Recommends a model and its quantisation for a machine, by the speed measured there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from mistral_lsp.models.registry import Entry, entries

READING_RATE = 80.0
"""Minimum number of prompt tokens read per second. A first window then takes less than 2.5 seconds.
"""
WRITING_RATE = 12.0
"""Minimum number of tokens written per second. A line then takes about a second."""
FINE = ("Q8_0", "Q5_K_M")
"""Quantisations worth more memory than a model's smallest file, the finest first."""
FINE_WRITING_RATE = 60.0
"""Minimum number of tokens written per second with a quantisation in FINE.

A line then takes a fifth of a second. A finer quantisation improves answers far less than a larger
model does, so nobody should wait for it.
"""
RULE = (
    "The largest model that fits into memory and writes a line within a second: as Q8_0 or else "
    "Q5_K_M if that writes a line within a fifth of a second, and otherwise as its smallest file."
)
TIERS = ((6.0, "workstation"), (2.0, "large"), (0.4, "medium"), (0.0, "small"))
"""Tiers of machines: the minimum billions of parameters of the recommended model, and the tier's
name.
"""
TELLING_GIGABYTES = 1.0
"""Minimum size of a model whose speed tells the speed of other models.

A smaller one spends much of its time on work that does not grow with its size. On a GPU, that is
nearly all of the time.
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed of a machine, from which that of any model follows.

    Reading a token takes time in proportion to the model's size. So does writing one, because all
    of the model is read from memory; `overhead` is the rest of that time, the same for all models.
    """

    read_gigabytes: float
    """Gigabytes per second while a prompt is read: each of its tokens counts the whole model."""
    written_gigabytes: float
    """Gigabytes per second while an answer is written, likewise."""
    overhead: float = 0.0
    """Seconds per written token."""

    def reading_rate(self, gigabytes: float) -> float:
        """Gives the prompt tokens per second that a model of this size reads."""
        return self.read_gigabytes / gigabytes

    def writing_rate(self, gigabytes: float) -> float:
        """Gives the tokens per second that a model of this size writes."""
        if not self.written_gigabytes:
            return 0.0
        return 1 / (self.overhead + gigabytes / self.written_gigabytes)


def speed_by_model(gigabytes: float, reading_rate: float, writing_rate: float) -> Speed:
    """Gives the speed of a machine on which a model of this size was measured."""
    return Speed(gigabytes * reading_rate, gigabytes * writing_rate)


def speed_by_both(gigabytes: float, writing_rate: float, device: Speed) -> Speed:
    """Gives the speed of a machine by that of its `device`, and that of a small model on it.

    The device was measured alone. What the model took in addition is the overhead.
    """
    alone = gigabytes / device.written_gigabytes
    overhead = max(0.0, 1 / writing_rate - alone) if writing_rate else 0.0
    return Speed(device.read_gigabytes, device.written_gigabytes, overhead)


def recommend(speed: Speed, free_gigabytes: float) -> tuple[str, str]:
    """Gives the tier of a machine, and the model with its quantisation that RULE names for it.

    If no model is quick enough, the smallest is recommended.
    """
    known = [entry for entry in entries().values() if entry.recommended]
    models = [list(files) for _, files in groupby(known, lambda entry: entry.model)]
    models.sort(key=lambda files: -files[0].parameters)  # of equal ones, the first listed is better
    suitable = (_chosen(files, speed, free_gigabytes) for files in models)
    entry = next(filter(None, suitable), models[-1][0])
    tier = next(tier for least, tier in TIERS if entry.parameters >= least)
    return tier, f"{entry.model}:{entry.quantisation}"


def _chosen(files: list[Entry], speed: Speed, free_gigabytes: float) -> Entry | None:
    """Gives the file of a model that RULE names, or None if no file fits and is quick enough."""
    quick = {
        file.quantisation: file
        for file in files
        if file.fits(free_gigabytes)
        and speed.reading_rate(file.gigabytes) >= READING_RATE
        and speed.writing_rate(file.gigabytes) >= WRITING_RATE
    }
    for quantisation in FINE:
        file = quick.get(quantisation)
        if file and speed.writing_rate(file.gigabytes) >= FINE_WRITING_RATE:
            return file
    return min(quick.values(), key=lambda file: file.gigabytes, default=None)
