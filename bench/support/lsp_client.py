"""A small LSP client over pipes, which can send raw messages and measures exact times."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from functools import cache
from queue import Empty, Queue
from typing import Any

Message = dict[str, Any]

ALONE = {"keepLoadedSeconds": 0}
"""Settings with which a host exits together with its server."""


@cache
def apart() -> dict[str, str]:
    """Gives environment variables that keep the bench's hosts apart from the user's hosts."""
    folder = tempfile.mkdtemp(prefix="bench", dir="/tmp" if os.name == "posix" else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {"XDG_RUNTIME_DIR": folder}


class ServerGone(Exception):
    """Raised when the server has closed its output."""


class Client:
    """A server process, and the LSP conversation with it.

    Most requests from the server are answered with null.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str] | None = None,
        configuration: Any = None,
    ):
        """Starts the server. `configuration` is the reply to workspace/configuration."""
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        self.configuration = configuration
        self.notifications: list[tuple[float, Message]] = []
        self.errors: list[str] = []
        self.answered: list[int] = []
        self._number = 0
        self._arrivals: Queue[tuple[float, Message] | None] = Queue()
        self._responses: dict[int, tuple[float, Message]] = {}
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._read, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()

    # Sending

    def send_raw(self, body: bytes) -> None:
        """Sends bytes as the body of a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any = None) -> None:
        """Sends a notification."""
        self.send_raw(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def begin(self, method: str, params: Any = None) -> int:
        """Sends a request; gives its id."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.send_raw(json.dumps(message).encode())
        return self._number

    def request(self, method: str, params: Any = None, timeout: float = 60.0) -> Any:
        """Sends a request and gives its result. Raises RuntimeError for an error response."""
        message = self.response(self.begin(method, params), timeout)[1]
        if "error" in message:
            raise RuntimeError(message["error"])
        return message["result"]

    def reply(self, message: Message) -> None:
        """Answers a request from the server."""
        asked = message["method"] == "workspace/configuration"
        result = [self.configuration] if asked else None
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        self.send_raw(json.dumps(answer).encode())

    # Receiving

    def response(self, number: int, timeout: float = 60.0) -> tuple[float, Message]:
        """Waits for the response to a request. Gives its time of arrival and the message."""
        deadline = time.perf_counter() + timeout
        while number not in self._responses:
            self._take(deadline - time.perf_counter(), f"the response to request {number}")
        return self._responses.pop(number)

    def wait_for(self, method: str, timeout: float = 60.0) -> Message:
        """Waits for a notification of `method`, and removes it from `notifications`."""
        deadline = time.perf_counter() + timeout
        while True:
            for place, (_, message) in enumerate(self.notifications):
                if message["method"] == method:
                    return self.notifications.pop(place)[1]
            self._take(deadline - time.perf_counter(), method)

    def drain(self) -> None:
        """Takes all messages that have arrived, without waiting."""
        while not self._arrivals.empty():
            self._take(1.0, "more")

    def _take(self, timeout: float, what: str) -> None:
        try:
            arrival = self._arrivals.get(timeout=max(0.0, timeout))
        except Empty:
            raise TimeoutError(f"{what} did not come; stderr: {self.errors[-5:]}") from None
        if arrival is None:
            self._arrivals.put(None)
            raise ServerGone(f"the server is gone; stderr: {self.errors[-5:]}")
        when, message = arrival
        if "method" not in message:
            self._responses[message["id"]] = (when, message)
            self.answered.append(message["id"])
        elif "id" in message:
            self.reply(message)
            self.notifications.append((when, message))
        else:
            self.notifications.append((when, message))

    def _read(self) -> None:
        assert self.process.stdout is not None
        while True:
            length = 0
            while line := self.process.stdout.readline():
                if not line.strip():
                    break
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = self.process.stdout.read(length) if length else b""
            if not body:
                self._arrivals.put(None)
                return
            self._arrivals.put((time.perf_counter(), json.loads(body)))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line.decode("utf-8", "replace").rstrip())

    # The usual conversation

    def initialize(
        self,
        settings: Any = None,
        encodings: Sequence[str] = ("utf-16",),
        root: str | None = None,
        folders: Sequence[str] = (),
        **capabilities: Any,
    ) -> Message:
        """Does the handshake; gives the server's capabilities.

        The workspace is the folder with the URI `root`, or the folders with the URIs `folders`.
        """
        result = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root,
                "workspaceFolders": [{"uri": uri, "name": uri} for uri in folders] or None,
                "initializationOptions": settings,
                "capabilities": {
                    "general": {"positionEncodings": list(encodings)},
                    "textDocument": {"inlineCompletion": {}},
                    **capabilities,
                },
            },
        )
        self.notify("initialized", {})
        found: Message = result["capabilities"]
        return found

    def wait_until_ready(self, timeout: float = 60.0) -> Message:
        """Waits until the server's model is loaded; gives the server's status."""
        while True:
            params = self.wait_for("mistralLsp/status", timeout)["params"]
            if params["state"] == "failed":
                raise RuntimeError(params["message"])
            if params["state"] == "ready":
                return self.status()

    def status(self) -> Message:
        """Gives the server's status."""
        found: Message = self.request("workspace/executeCommand", {"command": "mistralLsp.status"})
        return found

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        """Opens a document."""
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(
        self, uri: str, version: int, start: tuple[int, int], end: tuple[int, int], text: str
    ) -> None:
        """Replaces the text between two positions in a document."""
        span = {
            "start": {"line": start[0], "character": start[1]},
            "end": {"line": end[0], "character": end[1]},
        }
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"range": span, "text": text}],
            },
        )

    def ask(
        self, uri: str, line: int, character: int, kind: int = 2, token: str | None = None
    ) -> int:
        """Sends an inline completion request; gives its id, without waiting for the answer."""
        params: Message = {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": kind},
        }
        if token is not None:
            params["partialResultToken"] = token
        return self.begin("textDocument/inlineCompletion", params)

    def growth(self, token: str) -> list[tuple[float, Message]]:
        """Gives the partial answers with a progress token, and the time of arrival of each."""
        return [
            (when, note["params"]["value"])
            for when, note in self.notifications
            if note["method"] == "$/progress" and note["params"]["token"] == token
        ]

    def items(self, number: int, timeout: float = 60.0) -> list[Message]:
        """Awaits an inline completion response; gives its items.

        Raises RuntimeError for an error response.
        """
        message = self.response(number, timeout)[1]
        if "error" in message:
            raise RuntimeError(message["error"])
        items: list[Message] = message["result"]["items"]
        return items

    def close(self, timeout: float = 60.0) -> int:
        """Shuts the server down; gives its exit code."""
        self.request("shutdown")
        self.notify("exit")
        return self.process.wait(timeout)

    def kill(self) -> None:
        """Kills the server if it is still running; releases our threads and pipes."""
        end(self.process, self._threads)


def end(process: subprocess.Popen[bytes], readers: Iterable[threading.Thread]) -> None:
    """Kills a process if it is still running, joins its reader threads and closes its pipes."""
    process.kill()
    process.wait()
    for reader in readers:
        reader.join(10)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
