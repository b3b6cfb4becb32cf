"""Time limits on tasks, and the ends of cancelled tasks: no cancel is lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.limited import ended, limited
from mistral_lsp.engine.local.client import EngineClient


async def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(asyncio.TimeoutError):
        async with limited(0.01):
            await asyncio.sleep(60)
    async with limited(0.05):
        pass
    await asyncio.sleep(0.1)  # nothing comes later


async def test_a_cancel_is_not_lost_where_all_is_just_done() -> None:
    async def work() -> str:
        async with limited(60):
            await future
        await asyncio.sleep(60)
        return "went on"

    future = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    future.set_result(None)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)


async def test_a_task_that_loses_a_cancel_is_ended_all_the_same() -> None:
    async def stubborn() -> None:
        for _ in range(3):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(ended(task), 10)


@pytest.mark.parametrize("turns", range(12))
async def test_an_engine_is_closed_at_any_moment_of_its_start(turns) -> None:
    client = EngineClient(Load("scripted", "", 0, 0, 0))
    client.start()
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.wait_for(client.close(), 30)
    assert client.state == "off"
