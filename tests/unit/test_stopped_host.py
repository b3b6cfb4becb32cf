"""A suspended host is replaced; a busy host is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
from unittest.mock import Mock

import psutil
import pytest

from mistral_lsp.engine import frames
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local.client import EngineClient, HostGeneration, Pace
from mistral_lsp.system import processes
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.waiting import PATIENCE_SECONDS, until

PROMPT = Prompt("plain", (Part("prefix", "x = "), Part("mark", special="fim_middle")))


@pytest.fixture
def slow(tmp_path, monkeypatch) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"delay_ms": 100, "answers": [{"after": "x = ", "answer": "1234567890"}]}')
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))


PATIENT = Pace(silence=3_600.0)
"""Limits with an hour's patience, so that a slow host is not killed as silent."""


async def started(pace: Pace = PATIENT, keep_seconds: int = 0) -> EngineClient:
    client = EngineClient(Load("scripted", "", 0, 0, 0, keep_seconds), pace=pace)
    client.start()
    await client.ready()
    return client


async def written(generation: HostGeneration) -> str:
    async def wait() -> str:
        return "".join([token.text async for token in generation])

    return await asyncio.wait_for(wait(), PATIENCE_SECONDS)


async def test_one_that_is_stopped_while_it_answers_is_replaced(slow) -> None:
    client = await started()
    generation = client.generate(PROMPT, Decoding(100))
    hung = client.host_pid
    os.kill(hung, signal.SIGSTOP)
    with pytest.raises(EngineError, match="died"):
        await written(generation)
    await client.ready()
    assert client.host_pid != hung
    await client.close()


async def test_one_that_was_stopped_before_anybody_came_is_replaced() -> None:
    first = await started(keep_seconds=60)
    hung = psutil.Process(first.host_pid)
    await first.close()
    hung.suspend()
    client = await started()
    assert client.host_pid != hung.pid
    hung.wait(PATIENCE_SECONDS)
    await client.close()


async def test_one_that_says_nothing_for_long_is_replaced(slow, monkeypatch) -> None:
    monkeypatch.setattr(processes, "is_suspended", lambda pid: False)
    client = await started(Pace(silence=0.4))
    generation = client.generate(PROMPT, Decoding(100))
    os.kill(client.host_pid, signal.SIGSTOP)
    with pytest.raises(EngineError, match="died"):
        await written(generation)
    await client.close()


async def test_one_that_is_busy_gives_a_sign_of_life(slow, monkeypatch) -> None:
    client = await started(Pace(heartbeat=0.02, silence=3_600.0))
    heard: list[frames.Reply] = []
    take = client._take
    monkeypatch.setattr(client, "_take", lambda frame: (heard.append(frame), take(frame)))
    assert await written(client.generate(PROMPT, Decoding(100))) == "1234567890"
    assert frames.Pong() in heard
    assert not client._deaths
    await client.close()


@pytest.mark.jumping_clock
async def test_one_that_gives_signs_of_life_is_left_alone_and_ended_when_it_does_not(
    monkeypatch,
) -> None:
    ended: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(processes, "is_suspended", lambda pid: False)
    monkeypatch.setattr(processes, "kill", lambda pid: ended.append(loop.time()))
    client = EngineClient(Load("scripted", "", 0, 0, 0))
    client._writer = writer = Mock()
    client.host_pid = 1

    def answer() -> None:
        client._heard += 1

    writer.write = lambda frame: loop.time() < 100 and loop.call_soon(answer)
    client.generate(PROMPT, Decoding(100))
    await asyncio.wait_for(client._watching, 1_000)
    assert ended == [pytest.approx(100 + Pace().silence, abs=2)]


async def test_one_that_is_stopped_is_not_left_behind() -> None:
    client = await started()
    host = psutil.Process(client.host_pid)
    host.suspend()
    await until(lambda: host.status() == psutil.STATUS_STOPPED)
    await client.close()
    host.wait(PATIENCE_SECONDS)
    again = await started()
    await again.close()
