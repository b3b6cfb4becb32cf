"""Sees that the threads which a library starts do not share a core with the one that starts them.

After a rest, Linux may leave new threads on their parent's core for some 0.2 s, though another is
idle. Threads that wait for each other by spinning then take three times as long.
"""

from __future__ import annotations

import ctypes
import os

FUNCTIONS = ("pthread_attr_setaffinity_np", "pthread_setattr_default_np", "sched_getcpu")
CPU_SET_BYTES = 128
"""Of glibc's cpu_set_t: 1,024 cores."""


class OtherCores:
    """Where threads begin that are started without attributes, as C libraries do.

    Attributes by default are glibc's (pthread_setattr_default_np(3)); elsewhere nothing changes.
    """

    def __init__(self) -> None:
        """Finds out whether the C library can."""
        self._library = ctypes.CDLL(None)
        self._attributes = ctypes.create_string_buffer(256)  # a pthread_attr_t has 56 on x86-64
        self._works = (
            all(hasattr(self._library, name) for name in FUNCTIONS)
            and self._library.pthread_attr_init(self._attributes) == 0
        )

    def prefer(self) -> set[int]:
        """Lets threads to come begin on the cores that the caller is not on; says which these are.
        Empty where there are none, or no way to.
        """
        if not self._works:
            return set()
        cores = os.sched_getaffinity(0) - {self._library.sched_getcpu()}
        bits = sum(1 << core for core in cores)
        if not bits or bits.bit_length() > 8 * CPU_SET_BYTES:
            return set()
        # The set is an array of unsigned longs in the machine's order; these processors' is little.
        mask = bits.to_bytes(CPU_SET_BYTES, "little")
        self._library.pthread_attr_setaffinity_np(
            self._attributes, ctypes.c_size_t(CPU_SET_BYTES), mask
        )
        self._library.pthread_setattr_default_np(self._attributes)
        return cores
