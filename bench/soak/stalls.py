"""Measures how late this machine wakes an idle thread.

Long delays mean that other programs use the machine, so that measured times are unreliable.
"""

from __future__ import annotations

import threading
import time

NAP_SECONDS = 0.02


class Stalls:
    """A thread that sleeps and wakes. `longest` is the longest delay of a wake-up, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._nap, daemon=True)
        self._thread.start()

    def _nap(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(NAP_SECONDS):
            now = time.monotonic()
            self.longest = max(self.longest, now - before - NAP_SECONDS)
            before = now

    def end(self) -> float:
        """Ends the thread; gives the longest delay in seconds."""
        self._ended.set()
        self._thread.join()
        return round(self.longest, 2)
