"""Limits the time of tasks, and ends tasks, without losing a cancel.

Before Python 3.12, asyncio.wait_for swallows a cancel that arrives just as the awaited task ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

AGAIN_SECONDS = 0.1


@asynccontextmanager
async def limited(seconds: float) -> AsyncIterator[None]:
    """Raises asyncio.TimeoutError if the `with` block takes longer than `seconds`."""
    task = asyncio.current_task()
    assert task is not None
    is_late = False

    def end() -> None:
        nonlocal is_late
        is_late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, end)
    try:
        yield
    except asyncio.CancelledError as error:
        if is_late:
            raise asyncio.TimeoutError from error
        raise
    finally:
        timer.cancel()


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancels a task again and again until it ends, since a library may lose a cancel."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_SECONDS)
