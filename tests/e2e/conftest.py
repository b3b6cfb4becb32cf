"""Fixtures that start servers, end them, and check that no engine host outlives its test."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.support.lsp_client import Client
from tests.support.hosts import running_hosts
from tests.support.waiting import PATIENCE_SECONDS

Start = Callable[..., Client]

ADD = {"after": "def add(a, b):\n    ", "answer": "return a + b\n"}


@pytest.fixture(autouse=True)
def own_home(own_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives the folder of the test's engine hosts; sets up private folders and settings.

    A host exits with its last editor, and a request's deadline is two minutes. Fails after the
    test if a host still runs.
    """
    settings = tmp_path / "config" / "mistral-lsp" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("keepLoadedSeconds = 0\ndeadlineMs = 120000\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield own_folders
    _, alive = psutil.wait_procs(running_hosts(own_folders), timeout=PATIENCE_SECONDS)
    assert not alive, f"engine hosts were left behind: {alive}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Gives a function that starts a server, by default with the scripted engine.

    The argument `answers` of that function says what the scripted engine writes. Servers with the
    same script share a host. With `engine` None, the settings choose the engine.
    """
    clients: list[Client] = []

    def begin(
        *arguments: str,
        answers: list[dict[str, str]] | None = None,
        delay_ms: float = 0.0,
        engine: str | None = "scripted",
        configuration: Any = None,
        **script: Any,
    ) -> Client:
        given = {"answers": [ADD] if answers is None else answers, "delay_ms": delay_ms}
        content = json.dumps({**given, **script})
        path = tmp_path / f"script{zlib.crc32(content.encode())}.json"
        path.write_text(content)
        named = ["--engine", engine] if engine else []
        command = [sys.executable, "-m", "mistral_lsp", *named, *arguments]
        client = Client(command, {"MISTRAL_LSP_SCRIPT": str(path)}, configuration)
        clients.append(client)
        return client

    yield begin
    for client in clients:
        client.kill()


@pytest.fixture
def ready(start: Start) -> Callable[..., Client]:
    """Gives a function that starts a server and waits for its model.

    That function takes `settings`, `encodings`, and the keyword arguments of `start`'s function.
    """

    def begin(settings: Any = None, encodings: tuple[str, ...] = ("utf-16",), **named: Any):
        client = start(**named)
        client.initialize(settings, encodings)
        client.wait_until_ready()
        return client

    return begin
