"""Measures how fast this machine runs a model, and remembers the result.

The window's size depends on that speed. With a new measurement at every start, both would vary, and
prompts would not match the KV states kept on disk.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import time
from pathlib import Path

import msgspec

from mistral_lsp.inference.backends.base import Backend
from mistral_lsp.inference.sequence import Sequence
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.system.files import write_whole
from mistral_lsp.system.folders import cache_folder

logger = logging.getLogger(__name__)

PROBE_TOKENS = 64
PROBES = 3
PROBE_SECONDS = 1.0
DECODED_TOKENS = 4
MEASURED_LOADS = 3


class Measured(msgspec.Struct, frozen=True):
    """The fastest number of threads, and the speed of reading prompts in tokens per second.

    Both come from the best of `loads` measurements, since other programs may have disturbed some.
    """

    threads: int
    reading_rate: float
    loads: int = 1


def measure(backend: Backend, tokenizer: Tokenizer, model: Path, threads: int) -> Measured:
    """Gives the best measurement of this model so far.

    Each of the model's first MEASURED_LOADS loads adds a measurement, which takes about a second
    and a few decode steps. `threads` is the user's setting; with 0, the best number is measured,
    too.
    """
    store = cache_folder() / "measured.json"
    key = _key(backend, model, threads)
    remembered = _read(store)
    known = remembered.get(key)
    if known is None or known.loads < MEASURED_LOADS:
        fresh = _measure(backend, tokenizer, threads)
        if known is not None:
            best = max(known, fresh, key=lambda one: one.reading_rate)
            fresh = Measured(best.threads, best.reading_rate, known.loads + 1)
        remembered[key] = fresh
        _write(store, remembered)
    backend.use_threads(remembered[key].threads)
    return remembered[key]


def default_threads() -> int:
    """Gives the number of usable cores if it is at most 4, else half of it, but at most 16."""
    cores = usable_cores()
    return cores if cores <= 4 else min(cores // 2, 16)


def usable_cores() -> int:
    """Counts the logical cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1


def _measure(backend: Backend, tokenizer: Tokenizer, threads: int) -> Measured:
    probe = tokenizer.text("value = function(argument)\n" * PROBE_TOKENS)[:PROBE_TOKENS]
    usual = default_threads()
    counts = [threads] if threads else sorted({usual, max(1, usual // 2), usable_cores()})
    if len(counts) > 1:
        seconds = {count: _decode_seconds(backend, probe, count) for count in counts}
        counts.sort(key=lambda count: seconds[count])
    backend.use_threads(counts[0])
    return Measured(counts[0], _reading_rate(backend, probe))


def _reading_rate(backend: Backend, probe: list[int]) -> float:
    sequence = Sequence(backend)
    rate = 0.0
    begun = time.perf_counter()
    for first in range(PROBES):  # the fastest is the least disturbed
        started, before = time.perf_counter(), sequence.evaluated
        sequence.logits_behind(probe[first:], lambda: time.perf_counter() - begun > PROBE_SECONDS)
        evaluated = sequence.evaluated - before
        rate = max(rate, evaluated / (time.perf_counter() - started))
    return rate


def _decode_seconds(backend: Backend, probe: list[int], threads: int) -> float:
    """Gives the seconds of the fastest of a few decode steps, the one least disturbed."""
    backend.use_threads(threads)
    backend.rewind(0)
    backend.eval(probe[:1], 0)  # the first eval also pages in the weights
    steps = []
    for past in range(1, DECODED_TOKENS):
        started = time.perf_counter()
        backend.eval(probe[past : past + 1], past)
        steps.append(time.perf_counter() - started)
    backend.rewind(0)
    return min(steps)


def _key(backend: Backend, model: Path, threads: int) -> str:
    machine = (platform.machine(), platform.node(), usable_cores())
    what = (backend.name, model.name, model.stat().st_size, threads, machine)
    return hashlib.blake2b(repr(what).encode(), digest_size=12).hexdigest()


def _read(store: Path) -> dict[str, Measured]:
    try:
        return msgspec.json.decode(store.read_bytes(), type=dict[str, Measured])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        logger.warning("%s is left out: %s", store, error)
        return {}


def _write(store: Path, remembered: dict[str, Measured]) -> None:
    """Writes the measurements atomically, so that two hosts may write at the same time."""
    try:
        store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(store, msgspec.json.encode(remembered))
    except OSError as error:
        logger.warning("%s can't be written, so it is measured again next time: %s", store, error)
