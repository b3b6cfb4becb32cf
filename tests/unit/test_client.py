"""The supervisor of the engine's host, where the machine itself is at fault."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile

import pytest

from mistral_lsp.engine.base import EngineError
from mistral_lsp.engine.client import EngineClient
from mistral_lsp.engine.frames import Load
from mistral_lsp.types import Prompt

SCRIPTED = Load("scripted", "", 0, 0, 0)


async def test_a_full_disk_is_named(monkeypatch) -> None:
    def full(**_: str) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
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


async def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client = EngineClient(SCRIPTED)
    client.start()
    await client.ready()
    assert [path.stat().st_mode & 0o077 for path in tmp_path.iterdir()] == [0]
    await client.close()
    assert list(tmp_path.iterdir()) == []


def test_a_host_whose_server_is_gone_already_leaves_nothing(tmp_path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "mistral_lsp.engine.host", str(folder / "host")]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.DEVNULL) as host:
        os.close(writer)
        assert host.wait(20) == 0
    assert not folder.exists()
