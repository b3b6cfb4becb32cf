"""An event loop whose clock jumps over waiting times.

The clock stands still while any code runs. When everything waits, the clock jumps to the next
timer. So a test measures the same times on every machine, however busy.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS


class _Selector(selectors.DefaultSelector):
    loop: JumpingLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.threads or timeout is None:  # time stands still while a thread works
            ready = super().select(PATIENCE_SECONDS)
            assert ready, "the test waits for what never comes"
            return ready
        self.loop.now += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """The event loop of tests marked `jumping_clock`."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now = 0.0
        self.threads = 0
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def run_in_executor(
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self.threads += 1
        working = super().run_in_executor(executor, func, *args)
        working.add_done_callback(self._finished)
        return working

    def _finished(self, _: asyncio.Future[Any]) -> None:
        self.threads -= 1
