"""Reads from a record of relay.py what an editor told its server about documents."""

import json
import sys
from pathlib import Path
from typing import Any

RELAY = Path(__file__).with_name("relay.py")
DOCUMENTS = ("textDocument/didOpen", "textDocument/didClose", "textDocument/didSave")


def recorded(record: Path, command: list[str]) -> list[str]:
    """Gives a command that runs the server `command` through relay.py, recording to `record`."""
    return [sys.executable, str(RELAY), str(record), *command]


def passed(record: Path) -> list[dict[str, Any]]:
    """Gives the recorded messages, in the format of relay.py."""
    lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def document_of(message: dict[str, Any]) -> dict[str, Any] | None:
    params = message.get("params")
    return params.get("textDocument") if isinstance(params, dict) else None


def told(record: Path) -> list[str]:
    """Gives the opened, closed and saved documents in order, such as `didOpen main.py`.

    Fails if the editor sent a message about a document that was not open, or if the server showed
    the user a message.
    """
    is_open: dict[str, int] = {}
    events = []
    for line in passed(record):
        message = line["message"]
        if line["from"] == "server":
            assert message.get("method") != "window/showMessage", message
            continue
        method, document = message.get("method", ""), document_of(message)
        if document is None:
            continue
        uri = document["uri"]
        if method == "textDocument/didOpen":
            assert uri not in is_open, f"opened twice: {uri}"
            is_open[uri] = -1
        assert uri in is_open, f"{method} of {uri}, which is not open"
        if method in ("textDocument/didOpen", "textDocument/didChange"):
            assert document["version"] > is_open[uri], f"{method}: a version again of {uri}"
            is_open[uri] = document["version"]
        if method == "textDocument/didClose":
            del is_open[uri]
        if method in DOCUMENTS:
            events.append(f"{method.partition('/')[2]} {uri.rpartition('/')[2]}")
    return events
