"""The server indexes the definitions in the files of a real workspace."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bench.support.lsp_client import Client
from tests.support.waiting import wait_until


def status(client: Client) -> dict[str, Any]:
    return client.request("workspace/executeCommand", {"command": "mistralLsp.status"})


def wait_for_files(client: Client, count: int) -> None:
    wait_until(lambda: status(client)["other_files"] == count, f"{count} files are known")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "basket.py").write_text("class Basket:\n    size = 3\n")
    (folder / "json.py").write_text("raise SystemExit('a workspace must not be imported')\n")
    (folder / ".env.py").write_text("KEY = 'secret'\ndef key(): pass\n")
    return folder


def test_a_workspace_is_looked_through_and_saves_are_followed(start, workspace: Path) -> None:
    client = start()
    client.initialize(root=workspace.as_uri())
    uri = (workspace / "main.py").as_uri()
    client.open(uri, "def total(): pass\n")
    wait_for_files(client, 2)
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    wait_for_files(client, 3)
    assert client.close() == 0


def test_nothing_is_looked_through_where_that_is_off(start, workspace: Path) -> None:
    client = start()
    client.initialize({"otherFiles": False}, root=workspace.as_uri())
    client.open((workspace / "main.py").as_uri(), "x = 1\n")
    time.sleep(2.0)
    assert status(client)["other_files"] == 0


def test_a_server_that_ends_takes_its_scan_along(start, workspace: Path) -> None:
    client = start()
    client.initialize(root=workspace.as_uri())
    client.open((workspace / "main.py").as_uri(), "x = 1\n")
    time.sleep(1.05)
    assert client.close() == 0
