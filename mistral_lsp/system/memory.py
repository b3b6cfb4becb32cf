"""Gives the system the memory that this process holds and does not use."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable

LEAST_SECONDS = 60.0
"""From one time to the next, for it takes some milliseconds."""


class Gaps:
    """What lies between the texts in use: one that grows leaves all its sizes behind.

    Only glibc's allocator keeps such gaps; elsewhere there is nothing to do.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        """There are none yet; `clock` is in seconds."""
        self._clock = clock
        self._given_back_at = clock()

    def give_back(self) -> None:
        """Gives them back where the last time is long ago."""
        now = self._clock()
        if now - self._given_back_at < LEAST_SECONDS:
            return
        self._given_back_at = now
        with contextlib.suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)
