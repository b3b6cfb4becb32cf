"""A pipelined conversation with a server. It counts the answers to each request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from bench.support.lsp_client import end

Check = Callable[[dict[str, Any]], str | None]
"""A check of an answer: gives a description of the problem, or None."""

MOST_PENDING = 400
PATIENCE_SECONDS = 60.0


class Conversation:
    """A server, and all messages to and from it. Descriptions of problems are in `wrongs`."""

    def __init__(self, command: Sequence[str], environment: dict[str, str] | None = None):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        self.sent = self.answers = 0
        self.wrongs: list[str] = []
        self.log: list[str] = []
        self.statuses: list[dict[str, Any]] = []
        self._owed: Counter[str] = Counter()
        self._bodies: dict[str, bytes] = {}
        self._checks: dict[str, Check] = {}
        self._out: list[bytes] = []
        self._changed = threading.Condition()
        self._gone = False
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._read, self._read_log)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, body: bytes, owed: Any = None, check: Check | None = None) -> None:
        """Adds a message to the next batch. `owed` is its id if an answer is due."""
        self.sent += 1
        self._out.append(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        if owed is not None:
            key = json.dumps(owed)
            with self._changed:
                self._owed[key] += 1
                self._bodies[key] = body[:300]
                if check is not None:
                    self._checks[key] = check
        if len(self._out) >= MOST_PENDING // 2 or sum(map(len, self._out[-4:])) > 1 << 20:
            self.flush()

    def flush(self) -> None:
        """Sends the batch; waits while more than `MOST_PENDING` requests are unanswered."""
        out, self._out = b"".join(self._out), []
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(out)
            self.process.stdin.flush()
        except BrokenPipeError:
            self.wrongs.append("the server closed its input")
        self._wait(MOST_PENDING)

    def settle(self) -> None:
        """Sends the batch and waits until all requests are answered."""
        self.flush()
        self._wait(0)

    def pending(self) -> list[Any]:
        """Gives the ids of the unanswered requests."""
        with self._changed:
            return [json.loads(key) for key in self._owed]

    @property
    def alive(self) -> bool:
        """Whether the server is running and its output is open."""
        return not self._gone and self.process.poll() is None

    def _wait(self, most: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._changed:
            while self._owed.total() > most and not self._gone:
                if not self._changed.wait(deadline - time.monotonic()):
                    first = [self._bodies[key] for key, _ in self._owed.most_common(5)]
                    self.wrongs.append(f"unanswered: {self._owed.total()}, of them {first}")
                    self._owed.clear()
        if self._gone:
            self.wrongs.append(f"the server is gone: {self.log[-3:]}")

    def _read(self) -> None:
        assert self.process.stdout is not None
        stream = self.process.stdout
        while True:
            length = 0
            while (line := stream.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = stream.read(length) if length else b""
            if not body:
                break
            self._take(json.loads(body))
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            if message["method"] == "mistralLsp/status":
                self.statuses.append(message["params"])
            return
        key = json.dumps(message.get("id"))
        with self._changed:
            self.answers += 1
            if self._owed[key] <= 0:
                self.wrongs.append(f"answered without being asked: {str(message)[:300]}")
            self._owed[key] -= 1
            if self._owed[key] <= 0:
                del self._owed[key]
                self._bodies.pop(key, None)
            check = self._checks.pop(key, None)
            self._changed.notify_all()
        problem = check(message) if check else None
        if problem:
            self.wrongs.append(problem)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line.decode("utf-8", "replace").rstrip())

    def kill(self) -> None:
        """Kills the server; releases our threads and pipes."""
        end(self.process, self._threads)


def server(*arguments: str, environment: dict[str, str] | None = None) -> Conversation:
    """Starts a server with the scripted engine and the additional command `soak.text`."""
    command = [sys.executable, "-m", "bench.soak.watched", "--engine", "scripted", *arguments]
    return Conversation(command, environment)
