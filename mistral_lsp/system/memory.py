"""Memory: returned to the operating system, and not searched in vain for garbage."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import time
from collections.abc import Callable, Iterator

LEAST_SECONDS = 60.0
"""The least seconds between two calls of malloc_trim, which takes some milliseconds."""


class FreedMemory:
    """Makes glibc return its unused memory to the operating system.

    glibc retains freed blocks, for example those that a growing text leaves. With other allocators
    nothing is done, since they retain none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        """`clock` gives a time in seconds."""
        self._clock = clock
        self._given_back_at = clock()

    def give_back(self) -> None:
        """Returns unused memory to the system, unless it did so in the last `LEAST_SECONDS`."""
        now = self._clock()
        if now - self._given_back_at < LEAST_SECONDS:
            return
        self._given_back_at = now
        with contextlib.suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def no_garbage() -> Iterator[None]:
    """Pauses garbage collection in the `with` block, for imports.

    Everything that an import creates stays, and collections in between take a tenth of the time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def drop_reference(held: object) -> None:
    """Drops a reference leaked by native code."""
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(held))
