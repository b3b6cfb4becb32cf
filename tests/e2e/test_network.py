"""With default settings, everything works without a network, and nothing tries to connect."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.support.lsp_client import Client

NO_NETWORK = ("unshare", "--map-root-user", "--net")
WATCH = """
import os, sys

def note(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["WATCHED"], "a", encoding="utf-8") as file:
            file.write(f"{event} {arguments[1:] or arguments}" + chr(10))

sys.addaudithook(note)
"""
"""The source of sitecustomize.py, which every Python process of the test imports at its start."""
KEYS = "return sum(values) / len(values)"


def can_unshare() -> bool:
    if shutil.which(NO_NETWORK[0]) is None:
        return False
    return subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode == 0


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives the file in which all processes of the test record the addresses they connect to."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    path = os.pathsep.join([str(tmp_path / "watch"), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path.rstrip(os.pathsep))
    monkeypatch.setenv("WATCHED", str(tmp_path / "connections"))
    return tmp_path / "connections"


def type_a_line(*prefix: str) -> int:
    """Types a line, with default settings, and counts the keys that got ghost text.

    `prefix` begins the command that starts the server.
    """
    client = Client([*prefix, sys.executable, "-m", "mistral_lsp"])
    try:
        client.initialize()
        client.wait_until_ready()
        uri = "file:///nowhere/mean.py"
        client.open(uri, "def mean(values):\n    \n")
        shown = 0
        for version, key in enumerate(KEYS, 2):
            column = 2 + version
            client.change(uri, version, (1, column), (1, column), key)
            shown += bool(client.items(client.ask(uri, 1, column + 1)))
        assert client.close() == 0
    finally:
        client.kill()
    return shown


def test_nothing_is_connected_to_but_the_host_on_this_machine(watched) -> None:
    assert type_a_line() > len(KEYS) / 2
    connections = watched.read_text("utf-8").splitlines()
    assert connections, "the server has found its host"
    assert [line for line in connections if not line.startswith("socket.connect ('/")] == []


@pytest.mark.skipif(not can_unshare(), reason="this system lets nobody part with the network")
def test_everything_works_where_there_is_no_network(watched) -> None:
    assert type_a_line(*NO_NETWORK) > len(KEYS) / 2
    assert "socket.connect ('/" in watched.read_text("utf-8")
