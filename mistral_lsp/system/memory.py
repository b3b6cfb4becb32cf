"""Gives back memory that this process holds and does not use."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable

LEAST_SECONDS = 60.0
"""From one time to the next, for it takes some milliseconds."""


class FreedMemory:
    """Memory that glibc holds after it was freed: a growing text leaves a block of every size.

    Other allocators hold none; there this does nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        """`clock` is in seconds."""
        self._clock = clock
        self._given_back_at = clock()

    def give_back(self) -> None:
        """Gives it to the system, unless that was done a moment ago."""
        now = self._clock()
        if now - self._given_back_at < LEAST_SECONDS:
            return
        self._given_back_at = now
        with contextlib.suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)


def drop_reference(held: object) -> None:
    """Gives up a reference that native code took and never gives back."""
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(held))
