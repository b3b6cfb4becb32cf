"""Returns freed memory to the operating system."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable

LEAST_SECONDS = 60.0
"""Seconds between two calls of malloc_trim, which takes some milliseconds."""


class FreedMemory:
    """Makes glibc return its unused memory to the operating system.

    A growing text, for example, leaves freed blocks of every size. Other allocators retain none, so
    with them nothing is done.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        """`clock` is in seconds."""
        self._clock = clock
        self._given_back_at = clock()

    def give_back(self) -> None:
        """Returns the memory to the system, unless that was done less than `LEAST_SECONDS` ago."""
        now = self._clock()
        if now - self._given_back_at < LEAST_SECONDS:
            return
        self._given_back_at = now
        with contextlib.suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)


def drop_reference(held: object) -> None:
    """Drops a reference leaked by native code."""
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(held))
