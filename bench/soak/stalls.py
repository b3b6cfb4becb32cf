"""How long this machine kept a thread from running that had nothing to do but wake up.

Where others take the machine, a time that was measured says little; this tells.
"""

from __future__ import annotations

import threading
import time

NAP_SECONDS = 0.02


class Stalls:
    """A thread that naps; `longest` is by how many seconds it overslept at most."""

    def __init__(self) -> None:
        """Naps from now on."""
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
        """Ends; gives the longest stall in seconds."""
        self._ended.set()
        self._thread.join()
        return round(self.longest, 2)
