"""Sends random valid and invalid messages to a server, and notes which must be answered.

All randomness comes from the given `Random`, so that a run can be repeated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

from bench.soak import junk
from bench.soak.conversation import Conversation
from bench.soak.mirror import Mirror
from bench.soak.watched import COMMAND, digest

ENCODINGS = ("utf-8", "utf-16", "utf-32")
MARK = "Qx7"
"""A text in every document. If it appears in the log, the log leaks the user's code."""
PIECES = (
    "def add(a, b):\n    ",
    "return a + b",
    "x = 1\r\n",
    "\r",
    "\n",
    "\r\n",
    "\x0c",
    "\u2028",
    "\x85",
    "é",
    "日本",
    "🦀",
    "e\u0301",
    "\t",
    "\0",
    "class Basket:\n",
    '"""',
    "# ",
    "(",
    MARK,
)
LONE = ("\ud83e", "\udd80")
SMALL = 2_000
HUGE = 1_000_000
LONG_DOCUMENT = 4_000


def writing(chance: Random, most: int = 4, halves: bool = False) -> str:
    """Makes a random text. With `halves`, it is sometimes half of a surrogate pair."""
    if halves and chance.random() < 0.02:
        return chance.choice(LONE)
    return "".join(chance.choice(PIECES) for _ in range(chance.randint(0, most)))


class Traffic:
    """One client of a server: its messages, and its own copies of its documents."""

    def __init__(self, conversation: Conversation, encoding: str, name: str = "d"):
        """Opens no document. `name` must differ between the clients of one server."""
        self.conversation = conversation
        self.encoding = encoding
        self.open: dict[str, Mirror] = {}
        self._name = name
        self._number = 0
        self._documents = 0

    def number_from(self, number: int) -> None:
        """Makes request ids follow `number`: the clients of one server need different ids."""
        self._number = number

    # Building blocks

    def request(
        self, method: str, params: Any, check: Callable[[dict[str, Any]], str | None] | None = None
    ) -> int:
        """Sends a request; gives its id."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.conversation.send(json.dumps(message).encode(), self._number, check)
        return self._number

    def notify(self, method: str, params: Any) -> None:
        """Sends a notification."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.conversation.send(json.dumps(message).encode())

    def initialize(self) -> None:
        """Does the handshake."""
        general = {"positionEncodings": [self.encoding]}
        capabilities = {"general": general, "textDocument": {"inlineCompletion": {}}}
        params = {"processId": None, "rootUri": None, "capabilities": capabilities}
        self.request("initialize", {**params, "initializationOptions": {"keepLoadedSeconds": 0}})
        self.notify("initialized", {})
        self.conversation.settle()

    def compare(self, uri: str) -> None:
        """Requests the digest of the server's text; compares it with the digest of our text."""
        mirror = self.open.get(uri)
        text = mirror.text if mirror and mirror.in_sync else ""
        wanted = mirror and {"digest": digest(text), "in_sync": mirror.in_sync}
        shown = mirror and mirror.text[:200]

        def check(message: dict[str, Any]) -> str | None:
            found = message.get("result", message)
            return None if found == wanted else f"{uri} differs: {found}, not {wanted}: {shown!r}"

        self.request("workspace/executeCommand", {"command": COMMAND, "arguments": [uri]}, check)

    # Documents

    def opens(self, chance: Random) -> None:
        """Opens another document (didOpen)."""
        self._documents += 1
        uri = f"file:///project/{self._name}{self._documents}.{chance.choice(('py', 'ts', 'x'))}"
        text = MARK + writing(chance, 40 if chance.random() < 0.9 else 400)
        self.open[uri] = Mirror(text, chance.randint(-3, 3))
        item = {"uri": uri, "version": self.open[uri].version, "text": text}
        item["languageId"] = chance.choice(("python", "typescript", "klingon"))
        self.notify("textDocument/didOpen", {"textDocument": item})
        self.compare(uri)

    def closes(self, chance: Random) -> None:
        """Closes a document (didClose)."""
        uri = self.some_document(chance)
        self.open.pop(uri, None)
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        self.compare(uri)

    def edits(self, chance: Random) -> None:
        """Sends didChange for a document. Each change applies to the result of the one before."""
        uri = self.some_document(chance)
        mirror = self.open.get(uri)
        if mirror is None:
            return
        mirror.version += chance.randint(1, 3)
        count = 1 if chance.random() < 0.8 else chance.randint(0, 4)
        changes = [self._change(chance, mirror) for _ in range(count)]
        self._send_changes(uri, mirror.version, changes)
        self.compare(uri)

    def _change(self, chance: Random, mirror: Mirror) -> dict[str, Any]:
        text = writing(chance, halves=self.encoding == "utf-16")
        if chance.random() < 0.03 or len(mirror.text) > LONG_DOCUMENT:
            mirror.text, mirror.in_sync = text, True
            return {"text": text}
        if chance.random() < 0.2:  # beyond line ends and the end of the text, too
            places = [(chance.randint(0, 30), chance.randint(0, 40)) for _ in range(2)]
            start, end = ({"line": line, "character": column} for line, column in sorted(places))
        else:
            first = chance.randint(0, len(mirror.text))
            last = min(len(mirror.text), first + chance.choice((0, 0, 0, 1, 5, 300)))
            start = mirror.position(first, self.encoding)
            end = mirror.position(last, self.encoding)
        mirror.splice(start, end, text, self.encoding)
        return {"range": {"start": start, "end": end}, "text": text}

    def edits_late(self, chance: Random) -> None:
        """Sends an edit with an older version number. Then only a whole text restores the sync."""
        uri = self.some_document(chance)
        mirror = self.open.get(uri)
        if mirror is not None:
            mirror.in_sync = False
            place = {"line": 0, "character": 0}
            change = {"range": {"start": place, "end": place}, "text": "lost"}
            self._send_changes(uri, mirror.version - 1, [change])
            self.compare(uri)

    def edits_wrongly(self, chance: Random) -> None:
        """Sends an invalid edit. After it, the server's text is unknown."""
        uri = self.some_document(chance)
        mirror = self.open.get(uri)
        if mirror is not None:
            mirror.in_sync = False
            changes = chance.choice(junk.WRONG_CHANGES)
            self._send_changes(uri, mirror.version + 1, changes)
            self.compare(uri)

    def mends(self, chance: Random) -> None:
        """Sends the whole text, which puts the server in sync."""
        uri = self.some_document(chance)
        mirror = self.open.get(uri)
        if mirror is not None:
            mirror.text, mirror.in_sync = MARK + writing(chance, 20), True
            mirror.version += 1
            self._send_changes(uri, mirror.version, [{"text": mirror.text}])
            self.compare(uri)

    def _send_changes(self, uri: str, version: int, changes: Any) -> None:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def some_document(self, chance: Random) -> str:
        """Gives the URI of an open document; rarely, one that no document has."""
        if not self.open or chance.random() < 0.02:
            return "file:///project/none.py"
        return chance.choice(list(self.open))

    # Requests and hints

    def place(self, chance: Random) -> dict[str, Any]:
        """Gives a random document and a position, which mostly exists in that document."""
        uri = self.some_document(chance)
        mirror = self.open.get(uri)
        if mirror is None or chance.random() < 0.1:
            position = {
                "line": chance.choice((0, 7, 2**31 - 1)),
                "character": chance.choice((0, 9)),
            }
        else:
            position = mirror.position(chance.randint(0, len(mirror.text)), self.encoding)
        return {"textDocument": {"uri": uri}, "position": position}

    def asks(self, chance: Random) -> None:
        """Requests an inline completion, sometimes with a progress token or a selected item."""
        context: dict[str, Any] = {"triggerKind": chance.choice((0, 1, 2, 2))}
        params = {**self.place(chance), "context": context}
        if chance.random() < 0.1:
            span = {"start": params["position"], "end": params["position"]}
            context["selectedCompletionInfo"] = {"range": span, "text": writing(chance)}
        if chance.random() < 0.3:
            params["partialResultToken"] = chance.choice(("grow", 7))
        self.request("textDocument/inlineCompletion", params)

    def cancels(self, chance: Random) -> None:
        """Sends $/cancelRequest for a running, finished or unknown request."""
        pending = self.conversation.pending()
        other = chance.choice((0, -1, "none", self._number, self._number + 1))
        number = chance.choice(pending) if pending and chance.random() < 0.8 else other
        self.notify("$/cancelRequest", {"id": number})

    def hints(self, chance: Random) -> None:
        """Sends a notification that needs no answer."""
        place = self.place(chance)
        method, params = chance.choice(
            (
                ("mistralLsp/didMoveCursor", place),
                ("mistralLsp/didReject", place),
                ("mistralLsp/didShow", {}),
                ("mistralLsp/didAccept", {"acceptedLength": 3}),
                ("textDocument/didSave", {"textDocument": place["textDocument"]}),
                ("workspace/didChangeConfiguration", {"settings": {"maxTokens": 64}}),
                ("initialized", {}),
                ("$/setTrace", {"value": "off"}),
            )
        )
        self.notify(method, params)

    def asks_twice(self, chance: Random) -> None:
        """Sends several requests with the same id."""
        number = self.request("workspace/executeCommand", {"command": "mistralLsp.status"})
        params = {**self.place(chance), "context": {"triggerKind": 1}}
        for method in ("textDocument/inlineCompletion", chance.choice(("x/none", "initialize"))):
            message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            self.conversation.send(json.dumps(message).encode(), number)

    def answers_nobody(self, chance: Random) -> None:
        """Sends an unrequested response. Its id may be that of a pending request."""
        number = chance.choice([*self.conversation.pending()[-3:], 0, "none", *junk.ODD_IDS])
        outcome = chance.choice(({"result": None}, {"error": {"code": 1, "message": MARK}}, {}))
        self.conversation.send(json.dumps({"jsonrpc": "2.0", "id": number, **outcome}).encode())

    # Invalid messages

    def malforms(self, chance: Random) -> None:
        """Sends a valid message in which some values are replaced."""
        params = {**self.place(chance), "context": {"triggerKind": 2}}
        params["textDocument"] = {"uri": "file:///victim.py", "version": 1, "text": MARK}
        params["contentChanges"] = [{"text": MARK}]
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": "", "params": params}
        message["method"] = chance.choice(junk.METHODS)
        if chance.random() < 0.4:
            del message["id"]
        for _ in range(chance.randint(1, 3)):
            message = junk.exchange(chance, message)
        body = json.dumps(message).encode()
        if chance.random() < 0.3:
            body = junk.damage(chance, body)
        self.raw(body)

    def raw(self, body: bytes) -> None:
        """Sends a body as it is, unless it would end the conversation or execute a command."""
        message = junk.parsed(body)
        method = message.get("method") if isinstance(message, dict) else None
        if method in ("exit", "shutdown") or (method == "workspace/executeCommand"):
            return
        number = message.get("id") if isinstance(message, dict) else None
        is_id = isinstance(number, (int, str)) and not isinstance(number, bool)
        owed = number if is_id and isinstance(message, dict) and "method" in message else None
        self.conversation.send(body, owed)

    def hostile(self, chance: Random) -> None:
        """Sends a message body that tests the limits of the server's parser."""
        self.raw(chance.choice(junk.BODIES))

    def huge(self, chance: Random) -> None:
        """Sends a message of some megabytes."""
        uri = f"file:///project/{self._name}-huge.py"
        text = MARK + writing(chance) * math.ceil(HUGE / 10)
        self.open[uri] = Mirror(text)
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        self.compare(uri)
        del self.open[uri]
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


SHARES = (
    (Traffic.edits, 0.33),
    (Traffic.asks, 0.2),
    (Traffic.cancels, 0.1),
    (Traffic.hints, 0.08),
    (Traffic.malforms, 0.12),
    (Traffic.answers_nobody, 0.03),
    (Traffic.asks_twice, 0.02),
    (Traffic.opens, 0.02),
    (Traffic.closes, 0.02),
    (Traffic.mends, 0.03),
    (Traffic.edits_late, 0.01),
    (Traffic.edits_wrongly, 0.01),
    (Traffic.hostile, 0.02),
    (Traffic.huge, 0.00005),
)


def some_message(traffic: Traffic, chance: Random) -> None:
    """Sends a random message, in the proportions of `SHARES`."""
    (send,) = chance.choices([one for one, _ in SHARES], [share for _, share in SHARES])
    send(traffic, chance)
