"""Makes a library's new threads start on other cores than the thread that creates them.

After an idle time, Linux may keep new threads on their creator's core for about 0.2 s, though other
cores are idle. Threads that wait for each other by spinning then take three times as long.
"""

from __future__ import annotations

import ctypes
import os

FUNCTIONS = ("pthread_attr_setaffinity_np", "pthread_setattr_default_np", "sched_getcpu")
CPU_SET_BYTES = 128
"""The size of glibc's cpu_set_t in bytes. It has a bit for each of 1,024 cores."""


class OtherCores:
    """Sets the cores on which new threads start if they have no attributes of their own.

    Uses glibc's default attributes (pthread_setattr_default_np(3)). Without glibc, does nothing.
    """

    def __init__(self) -> None:
        """Finds out whether the C library has default attributes."""
        self._library = ctypes.CDLL(None)
        self._attributes = ctypes.create_string_buffer(256)  # a pthread_attr_t has 56 on x86-64
        self._works = (
            all(hasattr(self._library, name) for name in FUNCTIONS)
            and self._library.pthread_attr_init(self._attributes) == 0
        )

    def prefer(self) -> set[int]:
        """Makes new threads start on other cores than the caller's, and gives these cores.

        The set is empty if there are no other cores, or if the C library has no default attributes.
        """
        if not self._works:
            return set()
        cores = os.sched_getaffinity(0) - {self._library.sched_getcpu()}
        bits = sum(1 << core for core in cores)
        if not bits or bits.bit_length() > 8 * CPU_SET_BYTES:
            return set()
        # The set is an array of unsigned longs in machine order, here little-endian.
        mask = bits.to_bytes(CPU_SET_BYTES, "little")
        self._library.pthread_attr_setaffinity_np(
            self._attributes, ctypes.c_size_t(CPU_SET_BYTES), mask
        )
        self._library.pthread_setattr_default_np(self._attributes)
        return cores
