"""Makes invalid messages: wrong types, odd ids, damaged bytes, bodies at the parser's limits."""

from __future__ import annotations

import json
from random import Random
from typing import Any

METHODS = (
    "textDocument/inlineCompletion",
    "textDocument/didOpen",
    "textDocument/didChange",
    "textDocument/didClose",
    "textDocument/didSave",
    "textDocument/hover",
    "textDocument/none",
    "mistralLsp/didMoveCursor",
    "mistralLsp/didReject",
    "mistralLsp/didAccept",
    "mistralLsp/didShow",
    "notebookDocument/didOpen",
    "notebookDocument/didChange",
    "notebookDocument/didSave",
    "notebookDocument/didClose",
    "workspace/didChangeWatchedFiles",
    "workspace/didCreateFiles",
    "workspace/didRenameFiles",
    "workspace/didDeleteFiles",
    "workspace/didChangeConfiguration",
    "workspace/didChangeWorkspaceFolders",
    "window/workDoneProgress/cancel",
    "$/cancelRequest",
    "$/progress",
    "$/setTrace",
    "initialize",
    "initialized",
    "",
)
ODD_IDS: tuple[Any, ...] = (None, True, 1.5, -(2**70), [], {}, [1], "", "é" * 300, "\ud800")
VALUES: tuple[Any, ...] = (
    *ODD_IDS,
    0,
    -1,
    2**31,
    2**63,
    1e308,
    "x",
    "file:///project/none.py",
    "file:///%ff%fe",
    "http://[",
    {"line": -1, "character": 0},
    {"line": 0, "character": 2**31},
    [[]] * 3,
    {"settings": {"mistralLsp": {"maxTokens": "many"}}},
    {"id": []},
    {"id": {}},
    {"id": None},
)
ORIGIN = {"line": 0, "character": 0}
WRONG_CHANGES: tuple[Any, ...] = (
    None,
    [None],
    [{"range": None, "text": 1}],
    [{"range": {"start": ORIGIN}, "text": ""}],
    [{"range": {"start": {"line": -1, "character": 0}, "end": ORIGIN}, "text": "a"}],
    [{"range": {"start": ORIGIN, "end": {"line": 0, "character": 2**31}}, "text": "a"}],
    [{"range": {"start": ORIGIN, "end": ORIGIN}}],
)
BODIES = (
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"0",
    b"{",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b',"method":"x"}',
    b'{"jsonrpc":"2.0","method":"x","params":' + b"9" * 5_000 + b"}",
    b'{"jsonrpc":"2.0","method":"x","params":NaN}',
    b'{"jsonrpc":"2.0","method":"x","params":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"jsonrpc":"2.0","method":"mistralLsp/didAccept","params":' + b"[" * 800 + b"]" * 800 + b"}",
    b'{"jsonrpc":"2.0"}',
    b'{"jsonrpc":"1.0","method":"x"}',
    b'{"jsonrpc":["2.0"],"method":"x"}',
    b'{"jsonrpc":"2.0","method":["x"],"id":"odd method"}',
    b'{"jsonrpc":"2.0","method":null,"id":"no method"}',
    b'{"jsonrpc":"2.0","method":"x/none","id":"no parameters"}',
    b'{"jsonrpc":"2.0","method":"textDocument/inlineCompletion","id":"none at all"}',
    b'{"jsonrpc":"2.0","method":"textDocument/inlineCompletion","id":"a list","params":[]}',
    b'[{"jsonrpc":"2.0","method":"x","id":"in a batch"}]',
    b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":[]}}',
    b'{"jsonrpc":"2.0","method":"$/cancelRequest"}',
)


def parsed(body: bytes) -> Any:
    """Decodes a message's body. Gives None if that is impossible."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def exchange(chance: Random, message: Any) -> Any:
    """Copies a message, and replaces or removes one value in the copy. Mostly keeps the id."""
    copy = json.loads(json.dumps(message))
    node = copy
    while True:
        key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
        inner = node[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.7:
            node = inner
            continue
        if key == "id" and node is copy and chance.random() < 0.8:
            return copy
        if chance.random() < 0.3:
            del node[key]
        else:
            node[key] = chance.choice(VALUES)
        return copy if copy else {"jsonrpc": "2.0"}


def damage(chance: Random, body: bytes) -> bytes:
    """Changes some bytes of the body, or truncates it."""
    damaged = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.3 else damaged)
