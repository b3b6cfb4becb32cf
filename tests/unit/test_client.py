"""The supervisor of the engine's host, where the machine itself is at fault."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mistral_lsp.engine.base import EngineError
from mistral_lsp.engine.client import EngineClient
from mistral_lsp.engine.frames import Load
from mistral_lsp.types import Part, Prompt
from tests.support.hosts import running_hosts

SCRIPTED = Load("scripted", "", 0, 0, 0)


@pytest.fixture(autouse=True)
def no_host_is_left(own_folders) -> Iterator[None]:
    yield
    _, alive = psutil.wait_procs(running_hosts(own_folders), timeout=5)
    assert not alive


async def test_a_full_disk_is_named(monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", full)
    client = EngineClient(SCRIPTED)
    client.start()
    with pytest.raises(EngineError, match=r"No space left.*mistralLsp\.reload"):
        await client.ready()
    assert client.state == "failed"
    await client.close()


async def test_an_engine_that_was_not_started_or_was_stopped_says_so() -> None:
    client = EngineClient(SCRIPTED)
    with pytest.raises(EngineError, match="not been started"):
        client.generate(Prompt("plain", ()), 1)
    client.start()
    assert (await client.ready()).engine == "scripted"
    assert await client.count(["abc", ""]) == [3, 0]
    await client.close()
    with pytest.raises(EngineError, match="stopped"):
        await client.count(["abc"])
    with pytest.raises(EngineError, match="stopped"):
        await client.ready()


async def started(wanted: Load = SCRIPTED) -> EngineClient:
    client = EngineClient(wanted)
    client.start()
    await client.ready()
    return client


async def test_two_editors_share_a_host_and_either_may_go() -> None:
    first, second = await asyncio.gather(started(), started())
    assert first.host_pid == second.host_pid
    await first.close()
    assert await second.count(["abc"]) == [3]
    await second.close()


async def test_what_another_model_needs_is_another_host() -> None:
    first, second = await started(), await started(Load("scripted", "", 512, 0, 0))
    assert first.host_pid != second.host_pid
    await first.close()
    await second.close()


async def test_both_editors_find_a_new_host_when_theirs_is_killed() -> None:
    clients = [await started(), await started()]
    killed = clients[0].host_pid
    os.kill(killed, signal.SIGKILL)
    for client in clients:
        while client.host_pid in (None, killed):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await client.ready()
    assert clients[0].host_pid == clients[1].host_pid
    for client in clients:
        await client.close()


async def test_a_host_stays_as_long_as_one_of_its_editors_wished(own_folders) -> None:
    patient, hasty = await started(Load("scripted", "", 0, 0, 0, 2)), await started()
    host = psutil.Process(patient.host_pid)
    await patient.close()
    await hasty.close()
    await asyncio.sleep(0.5)
    again = await started()
    assert again.host_pid == host.pid
    await again.close()
    host.wait(10)
    assert [path.suffix for path in (own_folders / "mistral-lsp").iterdir()] != []
    assert not list(own_folders.rglob("*.socket"))


async def test_background_steps_aside_for_another_editor(tmp_path, monkeypatch) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"delay_ms": 5, "answers": [{"after": "x = ", "answer": "1"}]}')
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))
    busy, waiting = await started(), await started()
    mark = Part("mark", special="fim_middle")
    long = busy.generate(Prompt("plain", (Part("prefix", "z" * 2000),)), 0, background=True)
    await asyncio.sleep(0.1)
    begun = time.perf_counter()
    short = waiting.generate(Prompt("plain", (Part("prefix", "x = "), mark)), 1)
    assert [token.text async for token in short] == ["1"]
    assert time.perf_counter() - begun < 1
    assert [token.text async for token in long] == []
    assert long.usage.evaluated_tokens < 2000
    await busy.close()
    await waiting.close()


async def test_a_folder_that_others_can_enter_is_refused(own_folders) -> None:
    folder = own_folders / "mistral-lsp"
    folder.mkdir()
    folder.chmod(0o755)
    client = EngineClient(SCRIPTED)
    client.start()
    with pytest.raises(EngineError, match="chmod 700"):
        await client.ready()
    await client.close()


async def test_what_the_host_leaves_is_the_users_alone(own_folders) -> None:
    client = await started()
    left = list((own_folders / "mistral-lsp").iterdir())
    assert {path.suffix for path in left} == {".socket", ".lock", ".log"}
    assert [path.stat().st_mode & 0o077 for path in left] == [0, 0, 0]
    await client.close()


async def test_a_host_that_cannot_begin_says_its_last_words(monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    client = EngineClient(SCRIPTED)
    client.start()
    with pytest.raises(EngineError, match="ends as soon as it starts"):
        await client.ready()
    await client.close()
