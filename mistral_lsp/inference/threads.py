"""Adapts the number of computing threads to the load of other programs.

A backend's threads wait for each other by spinning. If another program takes the core of one
thread, all others wait for it. Fewer threads are then many times faster.
"""

from __future__ import annotations

from collections.abc import Callable

import psutil

SMALLEST_CHUNK = 16
SLOW = {1: 2.5, SMALLEST_CHUNK: 6.0}
"""An eval is slow if it takes more than this many times as long as on an idle machine.

The first is for a decode step, the second for a chunk. Chunks get slower as the window fills.
"""
STALLED = 30
"""A small eval is stalled if it takes longer than this many decode steps on an idle machine.

One stalled eval shows that the machine is busy. All threads are then tried again only after
`LAST_RETRY_SECONDS`.
"""
SLOW_STEPS = 2
"""After this many slow decode steps in a row, fewer threads compute. One slow chunk is enough."""
FIRST_RETRY_SECONDS = 1.0
"""Seconds until all threads are tried again for the first time.

After an idle time, an operating system may put all threads on one core for about 0.2 s. That looks
like a busy machine, but it passes.
"""
LAST_RETRY_SECONDS = 16.0
IDLE_CORES = 0.5
"""All threads are tried again only if this many cores were idle on average."""


def idle_seconds() -> float:
    """Gives the idle seconds of all cores together since the machine's start."""
    return psutil.cpu_times().idle


class Threads:
    """Chooses the number of threads from the durations of decode steps and chunks."""

    def __init__(
        self,
        most: int,
        clock: Callable[[], float],
        reading_rate: float = 0.0,
        idle: Callable[[], float] = idle_seconds,
    ):
        """`most` is the number of threads on an idle machine. `clock` and `idle` give seconds.

        With `most` threads, an idle machine reads `reading_rate` tokens per second (0: unknown).
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
        """Gives the number of threads for the next eval, which has `tokens` tokens.

        Some time after a reduction, all threads are tried again. If that eval is slow, the try
        ends. Only small evals are used for tries, since a chunk could take seconds.
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
        """Schedules a try of all threads after `seconds`; records the cores' idle time so far."""
        self._watched_from = (self._clock(), self._idle())
        self._retry_at = self._watched_from[0] + seconds

    def took(self, tokens: int, seconds: float) -> None:
        """Records the duration of an eval with the number of threads that `choose` gave."""
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
        """Records the duration of an aborted eval if it is long enough to show a busy machine."""
        kind = min(tokens, SMALLEST_CHUNK)
        slow = kind in self._quiet and seconds / tokens > SLOW[kind] * self._quiet[kind]
        if slow or self._is_stall(tokens, seconds):
            self.took(tokens, seconds)

    def _is_stall(self, tokens: int, seconds: float) -> bool:
        return tokens < SMALLEST_CHUNK and seconds > STALLED * self._quiet.get(1, seconds)

    def _took_with_all(self, kind: int, seconds: float) -> None:
        # Evals also get slower as the window fills, but gradually.
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
        # Weighs the latest eval as much as all earlier ones: the other program comes and goes.
        self._with_fewer[kind] = (self._with_fewer.get(kind, seconds) + seconds) / 2
