"""Helpers for tests with workspaces: write files, and read prompts that contain their code."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.support.lsp_client import Client
from tests.support.waiting import PATIENCE_SECONDS

OPEN = "value = shared_price(hidden_price(\n"
"""A line that uses names defined in other files."""


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes files below a folder, which is created if missing. Gives the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def defines(name: str) -> str:
    """Gives the text of a file that defines a function. One of its lines resembles `OPEN`."""
    return f"def {name}_price(order):\n    value = {name}_price(order)\n    return value\n"


def until(condition: Callable[[], Any], what: Callable[[], Any] = lambda: None) -> None:
    """Waits until a condition is true. After `PATIENCE_SECONDS`, fails with `what()` as message."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def known(client: Client) -> int:
    """Gives the number of other files that the server has indexed."""
    count: int = client.status()["other_files"]
    return count


def wait_for_files(client: Client, count: int) -> None:
    until(lambda: known(client) == count, client.status)


def explanation(client: Client, uri: str, line: int = 0, character: int = 34) -> dict[str, Any]:
    """Gives the explained prompt at a place, part by part."""
    place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
    params = {"command": "mistralLsp.explain", "arguments": [place]}
    found: dict[str, Any] = client.request("workspace/executeCommand", params)
    return found


def prompt(client: Client, uri: str, line: int = 0, character: int = 34) -> str:
    """Gives the text of the explained prompt at a place."""
    found = explanation(client, uri, line, character)
    assert found["reason"] is None, found["reason"]
    return "".join(part["text"] for part in found["parts"])


def until_told(client: Client, uri: str, wanted: str, text: str = OPEN) -> None:
    """Waits until a prompt contains the text `wanted`.

    On a slow disk, a prompt may lack the code of other files, and later prompts at the same place
    lack it too. So each try opens the file anew.
    """

    def is_told() -> bool:
        client.open(uri, text)
        return wanted in prompt(client, uri)

    until(is_told, lambda: prompt(client, uri))
