"""An editor that types and requests ghost text all the time, and records when it was shown."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from bench.soak.conversation import Conversation

URI = "file:///project/main.py"
PAUSE_SECONDS = 0.02
LEAVE_SECONDS = 60.0
SETTINGS = {"keepLoadedSeconds": 0, "deadlineMs": 5000}


class Editor:
    """An editor that keeps its own server busy.

    `shown` has a pair for each request that was answered with text: the times of sending and of
    arrival. `slowest` is the longest wait for an answer, in seconds.
    """

    def __init__(self, environment: dict[str, str], *arguments: str):
        """Starts a server and begins to type."""
        command = [sys.executable, "-m", "mistral_lsp", *arguments]
        self.conversation = Conversation(command, environment)
        self.shown: list[tuple[float, float]] = []
        self.slowest = 0.0
        self.requests = self.version = self._number = 0
        self._typing = threading.Event()
        self._typing.set()
        self._begin()
        self._thread = threading.Thread(target=self._type, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.conversation.process.pid

    def shown_again(self, since: float) -> float | None:
        """Gives the time when text first came for a request sent after `since`, or None."""
        return next((arrived for sent, arrived in self.shown[-100:] if sent > since), None)

    @property
    def failed(self) -> bool:
        """Whether the server has given up its engine."""
        statuses = self.conversation.statuses
        return bool(statuses) and statuses[-1]["state"] == "failed"

    def reload(self) -> None:
        """Reloads the engine, as the server's error message advises."""
        self.conversation.statuses.clear()
        self._request("workspace/executeCommand", {"command": "mistralLsp.reload"})

    def _begin(self) -> None:
        params: dict[str, Any] = {"capabilities": {"textDocument": {"inlineCompletion": {}}}}
        params |= {"processId": None, "initializationOptions": SETTINGS}
        self._request("initialize", params)
        self._notify("initialized", {})
        item = {"uri": URI, "languageId": "python", "version": 0, "text": ""}
        self._notify("textDocument/didOpen", {"textDocument": item})

    def _type(self) -> None:
        while self._typing.is_set() and self.conversation.alive:
            self._ask(threading.Event())  # overtaken by the next one
            answered = threading.Event()
            self._ask(answered)
            self.conversation.flush()
            answered.wait(2 * SETTINGS["deadlineMs"] / 1000)
            time.sleep(PAUSE_SECONDS)

    def _ask(self, answered: threading.Event) -> None:
        self.version += 1
        text = f"def add{self.version}(a, b):\n    return "
        document = {"uri": URI, "version": self.version}
        self._notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]}
        )
        sent = time.monotonic()

        def check(message: dict[str, Any]) -> str | None:
            arrived = time.monotonic()
            self.slowest = max(self.slowest, arrived - sent)
            if message.get("result", {}).get("items"):
                self.shown.append((sent, arrived))
            answered.set()
            return None

        self.requests += 1
        place = {"line": 1, "character": len("    return ")}
        params = {"textDocument": {"uri": URI}, "position": place, "context": {"triggerKind": 1}}
        self._request("textDocument/inlineCompletion", params, check)

    def _request(self, method: str, params: Any, check: Any = None) -> None:
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.conversation.send(json.dumps(message).encode(), self._number, check)

    def _notify(self, method: str, params: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.conversation.send(json.dumps(message).encode())

    def close(self) -> list[str]:
        """Shuts the server down as editors do; gives problems, such as unanswered requests."""
        self._typing.clear()
        self._thread.join(LEAVE_SECONDS)
        if self.conversation.alive:
            self.conversation.settle()
            self._request("shutdown", None)
            self.conversation.settle()
            self._notify("exit", None)
            self.conversation.flush()
            self.conversation.process.wait(LEAVE_SECONDS)
        else:
            self.conversation.wrongs.append(f"a server died: {self.conversation.log[-5:]}")
        wrongs = list(self.conversation.wrongs)
        self.conversation.kill()
        return wrongs

    def vanish(self, by_signal: bool) -> None:
        """Ends without a shutdown: kills the server, or only closes the server's input."""
        self._typing.clear()
        if by_signal:
            self.conversation.process.kill()
        self._thread.join(LEAVE_SECONDS)
        stdin = self.conversation.process.stdin
        if not by_signal and stdin is not None:
            stdin.close()
        self.conversation.process.wait(LEAVE_SECONDS)
        self.conversation.kill()
