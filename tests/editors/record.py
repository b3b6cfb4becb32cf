"""What an editor tells its server of documents, read from what the relay wrote down."""

import json
import sys
from pathlib import Path
from typing import Any

RELAY = Path(__file__).with_name("relay.py")
DOCUMENTS = ("textDocument/didOpen", "textDocument/didClose", "textDocument/didSave")


def recorded(record: Path, command: list[str]) -> list[str]:
    """Give the command that starts a server and writes down what passes."""
    return [sys.executable, str(RELAY), str(record), *command]


def passed(record: Path) -> list[dict[str, Any]]:
    """Give all that has passed, as the relay writes it."""
    lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def document_of(message: dict[str, Any]) -> dict[str, Any] | None:
    params = message.get("params")
    return params.get("textDocument") if isinstance(params, dict) else None


def told(record: Path) -> list[str]:
    """Give what was opened, closed and saved, in order, such as `didOpen main.py`; and fail where
    anything was told of a document that was not open by then, or the server had to warn.
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
