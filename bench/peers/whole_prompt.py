"""The peer `llama-cpp-server`: llama-cpp-python's server gets a whole prompt at every keystroke.

Continue, twinny and lsp-ai use a local model in this way. They request one streamed completion. The
prompt is a fill-in form with the prefix first, filled with the lines around the cursor. The next
key closes the stream.

In their favour, the delay before their requests (300 to 350 ms) is left out.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from typing_extensions import override

from bench.peers.http_server import HttpServer, free_port
from bench.support.subjects import Answer, Subject, Work
from bench.support.typist import Document, Edit

LINES_BEFORE, LINES_AFTER = 256, 64
LONGEST_ANSWER = 128


@dataclass
class Request:
    """One streamed completion. It ends after its first line, or when the client closes it."""

    client: httpx.Client
    prompt: str
    begun: float = field(default_factory=time.perf_counter)
    answers: queue.Queue[Answer] = field(default_factory=queue.Queue)
    closed: threading.Event = field(default_factory=threading.Event)
    pieces: int = 0

    def run(self) -> None:
        """Streams up to the end of the line, since clients of this kind show one line."""
        try:
            self._stream()
        except httpx.RemoteProtocolError:
            # The server ends a stream when the next request comes.
            if not self.closed.is_set():
                raise

    def _stream(self) -> None:
        body = {
            "prompt": self.prompt,
            "max_tokens": LONGEST_ANSWER,
            "temperature": 0.0,
            "stream": True,
        }
        text = ""
        first = None
        with self.client.stream("POST", "/v1/completions", json=body) as response:
            for line in response.iter_lines():
                if self.closed.is_set():
                    return
                if not line.startswith("data: {"):
                    continue
                self.pieces += 1
                text += json.loads(line[6:])["choices"][0]["text"]
                first = first or self._passed()
                if "\n" in text.lstrip("\n"):
                    break
        shown = text.rstrip("\n") if not text.strip() else text.split("\n")[0] or text.rstrip()
        self.answers.put(Answer(shown, first or self._passed(), self._passed(), self._passed()))

    def _passed(self) -> float:
        return (time.perf_counter() - self.begun) * 1000


@dataclass
class WholePrompt(Subject):
    """llama-cpp-python's server, which gets a new request at every keystroke."""

    model: str
    threads: int
    context: int = 0
    goes_on = False
    name: str = field(default="llama-cpp-server, whole prompt", init=False)
    _server: HttpServer = field(init=False)
    _request: Request | None = None
    _decoded: int = 0
    _evaluated: int = 0
    _uncounted: list[str] = field(default_factory=list)
    _last: list[int] = field(default_factory=list)

    @override
    def start(self) -> None:
        port = free_port()
        options = ["--model", str(Path(self.model).resolve()), "--host", "127.0.0.1"]
        options += ["--port", str(port), "--n_threads", str(self.threads)]
        options += ["--n_threads_batch", str(self.threads), "--n_ctx", str(self.context)]
        self._server = HttpServer(["-m", "llama_cpp.server", *options], port, "/v1/models")

    @override
    def open(self, document: Document) -> None: ...

    @override
    def edit(self, document: Document, edit: Edit) -> None:
        """Does nothing: every request contains the text."""

    @override
    def ask(self, document: Document) -> None:
        above = document.lines[max(0, document.line - LINES_BEFORE) : document.line]
        below = document.lines[document.line + 1 : document.line + 1 + LINES_AFTER]
        prefix = "\n".join([*above, document.before])
        suffix = "\n".join([document.after, *below])
        prompt = f"<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>"
        self._uncounted.append(prompt)
        self._request = Request(self._server.client, prompt)
        threading.Thread(target=self._request.run, daemon=True).start()

    @override
    def wait(self, until: float) -> Answer | None:
        assert self._request is not None
        try:
            answer = self._request.answers.get(timeout=max(0.0, until - time.perf_counter()))
        except queue.Empty:
            return None
        self._decoded += self._request.pieces
        return answer

    @override
    def cancel(self) -> None:
        """Closes the stream. The server notices that when it sends the next piece."""
        assert self._request is not None
        self._request.closed.set()

    @override
    def rest(self, until: float) -> None:
        time.sleep(max(0.0, until - time.perf_counter()))

    @override
    def settle(self) -> None:
        """Does nothing: the client does no background work."""

    @override
    def look(self) -> None:
        """Does nothing: the client sends nothing in advance."""

    @override
    def work(self) -> Work:
        """Estimates the work, since the server reports none.

        The server reuses only the prefix that a prompt shares with the one before. All later tokens
        count as evaluated. Each streamed piece counts as one decoded token.
        """
        for prompt in self._uncounted:
            answer = self._server.client.post("/extras/tokenize", json={"input": prompt})
            tokens = answer.raise_for_status().json()["tokens"]
            common = next(
                (place for place, pair in enumerate(zip(self._last, tokens)) if pair[0] != pair[1]),
                min(len(self._last), len(tokens)),
            )
            self._evaluated += max(1, len(tokens) - common)
            self._last = tokens
        self._uncounted.clear()
        return Work(self._evaluated, self._decoded)

    @override
    def facts(self) -> dict[str, Any]:
        return {}

    @override
    def processes(self) -> dict[str, psutil.Process]:
        return {"server": self._server.process}

    @override
    def stop(self) -> None:
        self._server.stop()
