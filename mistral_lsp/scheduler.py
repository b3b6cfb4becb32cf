"""Lets one request at a time ask the engine: the newest, and the one before it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
Sleep = Callable[[float], Awaitable[None]]


class Superseded(Exception):
    """A newer request took the engine."""


class Scheduler:
    """The engine's turn. A flood of requests leaves just the last of them running."""

    def __init__(self, sleep: Sleep = asyncio.sleep):
        """`sleep` is the clock to wait by."""
        self._sleep = sleep
        self._running: asyncio.Task[Any] | None = None
        self._superseded: set[asyncio.Task[Any]] = set()

    async def newest(
        self, work: Callable[[], Coroutine[Any, Any, Result]], debounce: float
    ) -> Result:
        """Stops the request before this one, waits `debounce` seconds, then does `work`.

        Raises Superseded where a newer call took over, CancelledError where the caller is
        cancelled; in both cases the work was cancelled.
        """
        if self._running is not None and not self._running.done():
            self._superseded.add(self._running)
            self._running.cancel()
        task = asyncio.create_task(self._later(work, debounce))
        self._running = task
        try:
            return await task
        except asyncio.CancelledError:
            if task in self._superseded:
                raise Superseded from None
            raise
        finally:
            self._superseded.discard(task)

    def idle(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Does `work` in the background, until the next request comes; not while one is running."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._later(work, 0.0))

    async def _later(
        self, work: Callable[[], Coroutine[Any, Any, Result]], debounce: float
    ) -> Result:
        if debounce:
            await self._sleep(debounce)
        return await work()
