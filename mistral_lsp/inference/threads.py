"""Decides how many threads compute, while other programs want the same cores.

The threads of a backend wait for each other by spinning. Where another program takes one of their
cores away, all of them wait for it, and fewer threads are many times faster.
"""

from __future__ import annotations

from collections.abc import Callable

import psutil

SMALLEST_CHUNK = 16
SLOW = {1: 2.5, SMALLEST_CHUNK: 6.0}
"""How many times as long as on a quiet machine an eval may take: a step, and a chunk, which takes
longer and longer as the window fills.
"""
STALLED = 30
"""Quiet steps. An eval of fewer tokens than a chunk's that takes so long says enough alone, and one
try every now and then is all that may cost as much.
"""
SLOW_STEPS = 2
"""Decode steps in a row; a chunk of a prompt says as much alone."""
FIRST_RETRY_SECONDS = 1.0
"""After a rest, an operating system may put all threads on one core for some 0.2 s: that looks like
another program, and passes.
"""
LAST_RETRY_SECONDS = 16.0
IDLE_CORES = 0.5
"""On average, from which on more threads are worth a try: on a busy machine that takes long."""


def idle_seconds() -> float:
    """How long cores have been idle since the machine's start, all of them together."""
    return psutil.cpu_times().idle


class Threads:
    """The number to use, chosen anew from how long decode steps and chunks of prompts take."""

    def __init__(
        self,
        most: int,
        clock: Callable[[], float],
        reading_rate: float = 0.0,
        idle: Callable[[], float] = idle_seconds,
    ):
        """`most` is the number for a quiet machine, which then reads `reading_rate` tokens of a
        prompt in a second, if that is known; `clock` is in seconds, and so is `idle`.
        """
        self._most = most
        self._clock = clock
        self._idle = idle
        self._quiet = {SMALLEST_CHUNK: 1 / reading_rate} if reading_rate else {}
        self._with_fewer: dict[int, float] = {}
        self._slow_steps = 0
        self._retry_after = FIRST_RETRY_SECONDS
        self._retry_at = 0.0
        self._watched_from = (0.0, 0.0)
        self._count = most

    def choose(self, tokens: int) -> int:
        """How many are to compute the next eval, of `tokens`. All of them are tried again after a
        while, for one eval where that is slow again; a chunk would take seconds then.
        """
        may_try = self._count < self._most and tokens < SMALLEST_CHUNK
        if may_try and self._is_worth_a_try():
            self._count = self._most
            self._slow_steps = SLOW_STEPS - 1
        return self._count

    def _is_worth_a_try(self) -> bool:
        if self._clock() < self._retry_at:
            return False
        since, idle_then = self._watched_from
        self._watch(FIRST_RETRY_SECONDS)
        now, idle = self._watched_from
        return idle - idle_then >= IDLE_CORES * (now - since)

    def _watch(self, seconds: float) -> None:
        """Looks how idle the cores are, until the next try in so many seconds."""
        self._watched_from = (self._clock(), self._idle())
        self._retry_at = self._watched_from[0] + seconds

    def took(self, tokens: int, seconds: float) -> None:
        """Takes in how long an eval took with the threads that `choose` gave."""
        if self._most == 1:
            return
        telling = tokens == 1 or tokens >= SMALLEST_CHUNK
        kind = min(tokens, SMALLEST_CHUNK)
        if self._count < self._most:
            if telling:
                self._took_with_fewer(kind, seconds / tokens)
        elif self._is_stall(tokens, seconds):
            self._retry_after = LAST_RETRY_SECONDS
            self._use_fewer()
        elif telling:
            self._took_with_all(kind, seconds / tokens)

    def gave_up(self, tokens: int, seconds: float) -> None:
        """Takes in an eval that was aborted: so late, maybe, that the machine must be busy."""
        kind = min(tokens, SMALLEST_CHUNK)
        slow = kind in self._quiet and seconds / tokens > SLOW[kind] * self._quiet[kind]
        if slow or self._is_stall(tokens, seconds):
            self.took(tokens, seconds)

    def _is_stall(self, tokens: int, seconds: float) -> bool:
        return tokens < SMALLEST_CHUNK and seconds > STALLED * self._quiet.get(1, seconds)

    def _took_with_all(self, kind: int, seconds: float) -> None:
        # A window that fills makes evals slower, too, but slowly.
        quiet = self._quiet[kind] = min(self._quiet.get(kind, seconds) * 1.01, seconds)
        if seconds <= SLOW[kind] * quiet or seconds <= self._with_fewer.get(kind, 0.0):
            self._slow_steps = 0
            self._with_fewer.clear()
            self._retry_after = FIRST_RETRY_SECONDS
            return
        self._slow_steps += 1 if kind == 1 else SLOW_STEPS
        if self._slow_steps >= SLOW_STEPS:
            self._use_fewer()

    def _use_fewer(self) -> None:
        self._count = max(1, self._most // 2)
        self._watch(self._retry_after)
        self._retry_after = min(2 * self._retry_after, LAST_RETRY_SECONDS)

    def _took_with_fewer(self, kind: int, seconds: float) -> None:
        # The latest eval counts as much as all before it: the other program comes and goes.
        self._with_fewer[kind] = (self._with_fewer.get(kind, seconds) + seconds) / 2
