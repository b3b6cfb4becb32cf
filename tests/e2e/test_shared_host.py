"""One host serves all editors and commands that use the same model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.support.lsp_client import Client
from tests.support.hosts import running_hosts
from tests.support.waiting import PATIENCE_SECONDS, wait_until

URI = "file:///project/main.py"
TEXT = "def add(a, b):\n    \n"


def answers(client: Client) -> bool:
    return bool(client.items(client.ask(URI, 1, 4)))


def host(client: Client) -> int:
    return client.status()["host_pid"]


def connections(pid: int) -> int:
    return len(psutil.Process(pid).net_connections(kind="unix"))


def reload(client: Client) -> None:
    client.notifications.clear()
    client.request("workspace/executeCommand", {"command": "mistralLsp.reload"})
    client.wait_until_ready()


def opened(client: Client) -> Client:
    client.open(URI, TEXT)
    return client


def test_servers_that_start_at_once_share_one_host(start, own_home) -> None:
    clients = [start() for _ in range(4)]
    for client in clients:
        client.initialize()
    for client in clients:
        client.wait_until_ready()
    assert len({host(client) for client in clients}) == 1
    assert len(running_hosts(own_home)) == 1
    assert all(answers(opened(client)) for client in clients)


def test_a_server_that_is_killed_takes_no_host_along(ready) -> None:
    first, second = ready(), opened(ready())
    first.kill()
    time.sleep(0.2)
    assert answers(second)


def test_all_servers_recover_from_the_death_of_their_host(ready) -> None:
    clients = [ready(), ready()]
    killed = host(clients[0])
    for client in clients:
        client.notifications.clear()
    os.kill(killed, signal.SIGKILL)
    for client in clients:
        client.wait_until_ready()
        assert answers(opened(client))
    assert host(clients[0]) == host(clients[1]) != killed


def test_the_model_stays_loaded_for_a_while(ready, own_home) -> None:
    client = ready({"keepLoadedSeconds": 600})
    kept = host(client)
    client.close()
    again = ready({"keepLoadedSeconds": 1})
    assert host(again) == kept
    again.close()
    _, alive = psutil.wait_procs(running_hosts(own_home), timeout=PATIENCE_SECONDS)
    assert not alive


def test_a_reload_starts_anew_only_what_nobody_else_uses(ready) -> None:
    first, second = ready({"keepLoadedSeconds": 60}), ready()
    shared = host(first)
    reload(first)
    assert host(first) == shared
    before = connections(shared)
    second.kill()
    wait_until(lambda: connections(shared) < before, "the host knows")
    reload(first)
    assert host(first) != shared
    pushed = {"settings": {"mistralLsp": {"keepLoadedSeconds": 0}}}
    kept = host(first)
    first.notify("workspace/didChangeConfiguration", pushed)
    assert host(first) == kept, "how long it stays can be changed without a start"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Gives a function that runs the command `complete` with a given script.

    The user's settings keep the model loaded for a minute after the last editor has left.
    """
    settings = tmp_path / "config" / "mistral-lsp" / "config.toml"
    settings.write_text("keepLoadedSeconds = 60\n")
    file = tmp_path / "main.py"
    file.write_text(TEXT)

    def run(script: Path) -> dict[str, str]:
        monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))
        words = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted"]
        done = subprocess.run(
            [*words, "complete", f"{file}:2:5", "--json"], capture_output=True, check=True
        )
        return json.loads(done.stdout)

    return run


def test_a_command_keeps_nothing_loaded(tmp_path, command, own_home) -> None:
    script = tmp_path / "script.json"
    script.write_text("{}")
    assert command(script)["engine"] == "scripted"
    _, alive = psutil.wait_procs(running_hosts(own_home), timeout=PATIENCE_SECONDS)
    assert not alive


def test_a_command_uses_the_editors_host_and_leaves_it_there(
    ready, tmp_path, command, own_home
) -> None:
    client = ready({"keepLoadedSeconds": 600})
    [script] = tmp_path.glob("script*.json")
    assert command(script)["text"] == "return a + b"
    assert len(running_hosts(own_home)) == 1 and host(client)
    client.close()
    assert command(script)["text"] == "return a + b"
    [stays] = running_hosts(own_home)
    time.sleep(0.5)
    assert stays.is_running(), "the editor's wish holds behind the command, too"
    ready({"keepLoadedSeconds": 0}).close()
