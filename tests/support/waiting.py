"""Waits for an event, for as long as a busy machine may need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.01

Seen = TypeVar("Seen")


def wait_until(look: Callable[[], Seen], what: str = "") -> Seen:
    """Calls `look` until its result is true, and gives that. Fails after `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still not: {what or look}; seen: {seen}"
        time.sleep(LOOK_SECONDS)
    return seen


async def until(look: Callable[[], Seen], what: str = "") -> Seen:
    """Does the same as `wait_until`, while the event loop keeps running."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still not: {what or look}; seen: {seen}"
        await asyncio.sleep(LOOK_SECONDS)
    return seen
