"""EngineClient, the client of the host: sharing a host, fairness, restarts, faults."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local import connect
from mistral_lsp.engine.local.client import EngineClient, HostGeneration
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.hosts import running_hosts
from tests.support.waiting import PATIENCE_SECONDS, until

SCRIPTED = Load("scripted", "", 0, 0, 0)


@pytest.fixture(autouse=True)
def no_host_is_left(own_folders) -> Iterator[None]:
    yield
    _, alive = psutil.wait_procs(running_hosts(own_folders), timeout=PATIENCE_SECONDS)
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
        client.generate(Prompt("plain", ()), Decoding(1))
    client.start()
    assert (await client.ready()).engine == "scripted"
    assert await client.count(["abc", ""]) == [3, 0]
    marks = tuple(Part("mark", special=name) for name in ("bos", "file_sep", "fim_prefix"))
    assert await client.weigh(Prompt("plain", (*marks, Part("prefix", "abc")))) == [1, 1, 1, 3]
    with pytest.raises(EngineError, match="no inst token"):
        await client.weigh(Prompt("plain", (Part("mark", special="inst"),)))
    await client.close()
    with pytest.raises(EngineError, match="stopped"):
        await client.count(["abc"])
    with pytest.raises(EngineError, match="stopped"):
        await client.ready()


@pytest.fixture
def slow(tmp_path, monkeypatch) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"delay_ms": 100, "answers": [{"after": "x = ", "answer": "1"}]}')
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))


def keeping(seconds: int) -> Load:
    return Load("scripted", "", 0, 0, 0, seconds)


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
        await until(lambda client=client: client.host_pid not in (None, killed))
        await client.ready()
    assert clients[0].host_pid == clients[1].host_pid
    for client in clients:
        await client.close()


async def test_a_host_stays_as_long_as_its_last_editor_wished(own_folders) -> None:
    patient, command = await started(keeping(600)), await started()
    host = psutil.Process(patient.host_pid)
    await patient.close()
    await command.close()  # it has no wish
    hasty = await started(keeping(600))
    assert hasty.host_pid == host.pid
    hasty.wish(keeping(0))
    await hasty.close()
    host.wait(PATIENCE_SECONDS)
    assert not list(own_folders.rglob("*.socket"))


async def test_the_time_is_counted_from_the_last_editors_end() -> None:
    first, last = await started(keeping(2)), await started(keeping(2))
    host = psutil.Process(last.host_pid)
    await first.close()
    await asyncio.sleep(2.5)
    begun = time.monotonic()
    await last.close()
    host.wait(PATIENCE_SECONDS)
    assert time.monotonic() - begun > 1.9


async def test_a_host_without_a_model_goes_with_its_last_client(tmp_path) -> None:
    client = EngineClient(Load("auto", str(tmp_path / "none.gguf"), 0, 0, 0, 60))
    client.start()
    with pytest.raises(EngineError, match="can't be read"):
        await client.ready()
    await client.close()


async def test_a_reload_ends_a_host_that_nobody_else_uses() -> None:
    first, second = await started(keeping(60)), await started(keeping(60))
    shared = first.host_pid
    await first.leave()
    assert await second.count(["abc"]) == [3]
    again = await started(keeping(60))
    assert again.host_pid == shared
    await second.close()
    await again.leave()
    new = await started()
    assert new.host_pid != shared
    await new.close()


async def test_a_host_whose_name_was_taken_away_leaves_that_of_the_next() -> None:
    first = await started()
    connect.socket_path(SCRIPTED).unlink()
    second = await started()
    old = psutil.Process(first.host_pid)
    assert second.host_pid != old.pid
    await first.close()
    old.wait(PATIENCE_SECONDS)
    third = await started()
    assert third.host_pid == second.host_pid
    await second.close()
    await third.close()


async def test_a_host_that_is_just_leaving_is_no_death() -> None:
    path = connect.socket_path(SCRIPTED)

    def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path.unlink()
        writer.close()

    leaving = await asyncio.start_unix_server(leave, path)
    client = await started()
    assert client.host_pid != os.getpid() and not client._deaths
    await client.close()
    leaving.close()


def long(client: EngineClient, background: bool = False) -> HostGeneration:
    """Starts a generation that takes three minutes."""
    prompt = Prompt("plain", (Part("prefix", "z" * 2000),))
    return client.generate(prompt, Decoding(0, background=background))


async def is_answered(client: EngineClient) -> bool:
    """Whether a short prompt is answered while a long generation is running."""
    mark = Part("mark", special="fim_middle")
    short = client.generate(Prompt("plain", (Part("prefix", "x = "), mark)), Decoding(1))

    async def written() -> list[str]:
        return [token.text async for token in short]

    return await asyncio.wait_for(written(), PATIENCE_SECONDS) == ["1"]


async def test_background_steps_aside_for_another_editor(slow) -> None:
    busy, waiting = await started(), await started()
    running, queued = long(busy, background=True), long(waiting, background=True)
    await asyncio.sleep(0.1)
    assert await is_answered(waiting)
    for generation in (running, queued):
        # An end without an error would be taken for the end of the answer, and be cached.
        with pytest.raises(EngineError, match="somebody waits"):
            assert [token async for token in generation] == []
        assert generation.usage.evaluated_tokens < 2000
    await busy.close()
    await waiting.close()


async def test_a_flood_of_one_editor_does_not_keep_another_waiting(slow) -> None:
    busy, waiting = await started(), await started()
    for _ in range(100):
        long(busy).stop()
    last = long(busy)
    asyncio.get_running_loop().call_later(0.2, last.stop)
    assert await is_answered(waiting)
    await busy.close()
    await waiting.close()


async def test_what_an_editor_leaves_behind_is_stopped(slow) -> None:
    gone, waiting = await started(), await started()
    long(gone)
    await asyncio.sleep(0.1)
    await gone.close()
    assert await is_answered(waiting)
    await waiting.close()


async def test_a_second_editor_is_ready_while_the_first_one_computes(slow) -> None:
    busy = await started()
    long(busy)
    await asyncio.sleep(0.1)
    second = await asyncio.wait_for(started(), PATIENCE_SECONDS)
    assert await asyncio.wait_for(second.count(["abc"]), PATIENCE_SECONDS) == [3]
    await busy.close()
    await second.close()


async def test_what_the_host_leaves_is_the_users_alone(own_folders) -> None:
    client = await started()
    left = list((own_folders / "mistral-lsp").iterdir())
    assert {path.suffix for path in left} == {".socket", ".lock", ".log"}
    assert [path.stat().st_mode & 0o077 for path in left] == [0, 0, 0]
    await client.close()


async def test_a_host_that_cannot_begin_says_its_last_words(monkeypatch) -> None:
    connect.socket_path(SCRIPTED).mkdir()
    client = EngineClient(SCRIPTED)
    client.start()
    with pytest.raises(EngineError, match=r"ends as soon as it starts.*words: \w+Error"):
        await client.ready()
    await client.close()
