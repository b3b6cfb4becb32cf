"""A host that says nothing: one that is stopped is replaced, one that is busy is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import psutil
import pytest

from mistral_lsp.engine import client as engine_client, stopped
from mistral_lsp.engine.base import EngineError
from mistral_lsp.engine.client import EngineClient, HostGeneration
from mistral_lsp.engine.frames import Load
from mistral_lsp.types import Part, Prompt

PROMPT = Prompt("plain", (Part("prefix", "x = "), Part("mark", special="fim_middle")))


@pytest.fixture
def slow(tmp_path, monkeypatch) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"delay_ms": 100, "answers": [{"after": "x = ", "answer": "1234567890"}]}')
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))


async def started(keep_seconds: int = 0) -> EngineClient:
    client = EngineClient(Load("scripted", "", 0, 0, 0, keep_seconds))
    client.start()
    await client.ready()
    return client


async def written(generation: HostGeneration) -> str:
    return "".join([token.text async for token in generation])


async def test_one_that_is_stopped_while_it_answers_is_replaced(slow) -> None:
    client = await started()
    generation = client.generate(PROMPT, 100)
    hung = client.host_pid
    os.kill(hung, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(EngineError, match="died"):
        await asyncio.wait_for(written(generation), 2)
    await client.ready()
    assert client.host_pid != hung and time.monotonic() - begun < 4
    await client.close()


async def test_one_that_was_stopped_before_anybody_came_is_replaced() -> None:
    first = await started(60)
    hung = psutil.Process(first.host_pid)
    await first.close()
    hung.suspend()
    client = await asyncio.wait_for(started(), 4)
    assert client.host_pid != hung.pid
    hung.wait(2)
    await client.close()


async def test_one_that_says_nothing_for_long_is_replaced(slow, monkeypatch) -> None:
    monkeypatch.setattr(engine_client, "LONGEST_SILENCE", 0.4)
    monkeypatch.setattr(stopped, "is_stopped", lambda pid: False)
    client = await started()
    generation = client.generate(PROMPT, 100)
    os.kill(client.host_pid, signal.SIGSTOP)
    with pytest.raises(EngineError, match="died"):
        await asyncio.wait_for(written(generation), 2)
    await client.close()


async def test_one_that_is_busy_is_left_alone(slow, monkeypatch) -> None:
    monkeypatch.setattr(engine_client, "SILENT_SECONDS", 0.02)
    monkeypatch.setattr(engine_client, "LONGEST_SILENCE", 0.5)
    client = await started()
    assert await written(client.generate(PROMPT, 100)) == "1234567890"
    assert not client._deaths
    await client.close()


async def test_one_that_is_stopped_is_not_left_behind() -> None:
    client = await started()
    host = psutil.Process(client.host_pid)
    host.suspend()
    while host.status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await client.close()
    host.wait(2)
    again = await started()
    await again.close()
