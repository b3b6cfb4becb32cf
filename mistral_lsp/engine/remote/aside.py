"""Calls a function that may hang, in a thread that does not keep the program from ending."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def aside(call: Callable[[], Result], name: str) -> asyncio.Future[Result]:
    """Starts a daemon thread with this name; gives its future result.

    asyncio's own threads are few, and the program's end waits for them.
    """
    given: Future[Result] = Future()

    def run() -> None:
        if not given.set_running_or_notify_cancel():
            return
        try:
            given.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
            given.set_exception(error)

    awaited = asyncio.wrap_future(given)
    # Marks a failure as retrieved, since nobody may be waiting any more.
    awaited.add_done_callback(lambda done: done.cancelled() or done.exception())
    threading.Thread(target=run, name=name, daemon=True).start()
    return awaited
