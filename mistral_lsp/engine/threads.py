"""Decides how many threads compute, while other programs want the same cores.

The threads of a backend wait for each other by spinning. Where another program takes one of their
cores away, all of them wait for it, and fewer threads are many times faster.
"""

from __future__ import annotations

from collections.abc import Callable

SLOW = 2.5
"""How many times as long as on a quiet machine a decode step may take."""
SLOW_STEPS = 2
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 16.0


class Threads:
    """The number to use, chosen anew from how long decode steps take."""

    def __init__(self, most: int, clock: Callable[[], float]):
        """`most` is the number for a quiet machine; `clock` is in seconds."""
        self._most = most
        self._clock = clock
        self._quiet: float | None = None
        self._with_fewer = 0.0
        self._slow_steps = 0
        self._retry_after = FIRST_RETRY_SECONDS
        self._retry_at = 0.0
        self.count = most

    def took(self, seconds: float) -> None:
        """Takes in how long a decode step of one token took with `count` threads."""
        if self._most == 1:
            return
        if self.count == self._most:
            self._took_with_all(seconds)
        else:
            self._took_with_fewer(seconds)

    def _took_with_all(self, seconds: float) -> None:
        # A window that fills makes steps slower, too, but slowly.
        self._quiet = seconds if self._quiet is None else min(self._quiet * 1.01, seconds)
        if seconds <= SLOW * self._quiet or seconds <= self._with_fewer:
            self._slow_steps = 0
            self._with_fewer = 0.0
            self._retry_after = FIRST_RETRY_SECONDS
            return
        self._slow_steps += 1
        if self._slow_steps >= SLOW_STEPS:
            self.count = max(1, self._most // 2)
            self._retry_at = self._clock() + self._retry_after
            self._retry_after = min(2 * self._retry_after, LAST_RETRY_SECONDS)

    def _took_with_fewer(self, seconds: float) -> None:
        # The latest step counts as much as all before it: the other program comes and goes.
        self._with_fewer = (self._with_fewer + seconds) / 2 if self._with_fewer else seconds
        if self._clock() >= self._retry_at:
            self.count = self._most  # for one step, where that is slow again
            self._slow_steps = SLOW_STEPS - 1
