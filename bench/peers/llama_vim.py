"""The peer `llama-server`: llama.cpp's server, used through /infill as the plugin llama.vim does.

The plugin's behaviour is taken from its documentation and its source (January 2026). A request
contains 256 lines before the cursor and 64 after it, and the line up to the cursor as `prompt`. It
asks for at most 128 tokens and 250 ms of decoding.

When text is shown, the plugin sends a request ahead, as if the text had been accepted, with 1,000
ms of decoding. Only one request runs at a time, and none is ever cancelled. If a request comes
meanwhile, it is tried again 100 ms later.

250 answers are cached, each under four keys. An answer is found until more than 128 of its
characters have been typed.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from typing_extensions import override

from bench.peers.http_server import HttpServer, free_port
from bench.support.subjects import Answer, Subject, Work
from bench.support.typist import Document, Edit

LINES_BEFORE, LINES_AFTER = 256, 64
LONGEST_ANSWER = 128
SHOWN_MS, AHEAD_MS, PROMPT_MS = 250, 1000, 500
RETRY_SECONDS = 0.1
KEPT = 250
LOOK_BACK = 128
LONGEST_LINE_SUFFIX = 8
TRIMMED_TOPS = 3

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The text in a request: lines above, the line up to the cursor, and the text after it."""

    prefix: str
    prompt: str
    suffix: str

    @classmethod
    def of(cls, document: Document) -> Surroundings:
        """Gives the text around a document's cursor."""
        above = document.lines[max(0, document.line - LINES_BEFORE) : document.line]
        below = document.lines[document.line + 1 : document.line + 1 + LINES_AFTER]
        return cls(
            "".join(f"{line}\n" for line in above),
            document.before,
            document.after + "\n" + "".join(f"{line}\n" for line in below),
        )

    def accepted(self, text: str) -> Surroundings:
        """Gives the text around the cursor as it will be when `text` is accepted."""
        *whole, last = (self.prompt + text).split("\n")
        prefix = (self.prefix + "".join(f"{line}\n" for line in whole)).splitlines(keepends=True)
        return Surroundings("".join(prefix[-LINES_BEFORE:]), last, self.suffix)

    def cache_keys(self) -> list[Key]:
        """Gives an answer's four cache keys: the texts without the topmost 0, 1, 2 and 3 lines."""
        lines = self.prefix.splitlines(keepends=True)
        return [("".join(lines[top:]), self.prompt, self.suffix) for top in range(TRIMMED_TOPS + 1)]


@dataclass
class LlamaVim(Subject):
    """A llama-server, used as llama.vim uses it."""

    model: str
    threads: int
    context: int = 0
    goes_on = False
    name: str = field(default="llama-server, as llama.vim", init=False)
    _server: HttpServer = field(init=False)
    _cache: OrderedDict[Key, str] = field(default_factory=OrderedDict)
    _done: queue.Queue[tuple[Surroundings, str]] = field(default_factory=queue.Queue)
    _running: bool = False
    _retry_at: float = math.inf
    _retry_ahead: Surroundings | None = None
    _here: Surroundings | None = None
    _begun: float = 0.0
    _answer: Answer | None = None
    _shown_characters: int = 0

    @override
    def start(self) -> None:
        port = free_port()
        options = ["--model", str(Path(self.model).resolve()), "--port", str(port)]
        options += ["--threads", str(self.threads), "--context", str(self.context)]
        self._server = HttpServer(["-m", "bench.peers.llama_server", *options], port, "/health")

    @override
    def open(self, document: Document) -> None: ...

    @override
    def edit(self, document: Document, edit: Edit) -> None:
        """Does nothing: the plugin sends the text with every request."""

    @override
    def ask(self, document: Document) -> None:
        self._begun = time.perf_counter()
        self._here = Surroundings.of(document)
        self._answer = None
        if len(document.after) > LONGEST_LINE_SUFFIX:
            self._show("")
        elif not self._show_from_cache():
            self._request(self._here, SHOWN_MS)

    @override
    def wait(self, until: float) -> Answer | None:
        while self._answer is None and time.perf_counter() < until:
            self._live(until)
        return self._answer

    @override
    def cancel(self) -> None:
        """Does nothing: the plugin never cancels."""

    @override
    def rest(self, until: float) -> None:
        while time.perf_counter() < until:
            self._live(until)

    @override
    def settle(self) -> None:
        """Waits until no request is running or postponed, as in a pause in typing."""
        while self._running or self._retry_at < math.inf:
            self._live(math.inf)

    @override
    def look(self) -> None:
        """Does nothing: the plugin sends nothing while a user looks at a new place."""

    def _live(self, until: float) -> None:
        """Takes the next answer if it comes before `until`, or retries a postponed request."""
        wake = min(until, self._retry_at)
        left = None if wake == math.inf else max(0.0, wake - time.perf_counter())
        try:
            asked, text = self._done.get(timeout=left)
        except queue.Empty:
            if time.perf_counter() >= self._retry_at:
                ahead, self._retry_at = self._retry_ahead, math.inf
                assert self._here is not None
                self._request(ahead or self._here, AHEAD_MS if ahead else SHOWN_MS)
            return
        self._running = False
        for key in asked.cache_keys():
            self._cache[key] = text
            self._cache.move_to_end(key)
        while len(self._cache) > KEPT * (TRIMMED_TOPS + 1):
            self._cache.popitem(last=False)
        if self._answer is None:
            self._show_from_cache()

    def _show_from_cache(self) -> bool:
        """Shows the longest cached answer that fits, and sends a request ahead.

        Gives False if no answer fits.
        """
        here = self._here
        assert here is not None
        found = None
        for back in range(min(LOOK_BACK, len(here.prompt)) + 1):
            typed = here.prompt[len(here.prompt) - back :]
            earlier = Surroundings(here.prefix, here.prompt[: len(here.prompt) - back], here.suffix)
            text = self._cache.get(earlier.cache_keys()[0])
            if text is not None and text.startswith(typed) and (len(text) > back or not back):
                found = text[back:] if found is None or len(text) - back > len(found) else found
        if found is None:
            return False
        shown = _as_shown(found, here)
        self._show(shown)
        if shown:
            self._request(here.accepted(shown), AHEAD_MS)
        return True

    def _show(self, text: str) -> None:
        passed = (time.perf_counter() - self._begun) * 1000
        self._answer = Answer(text, passed, passed, passed)

    def _request(self, asked: Surroundings, decode_ms: int) -> None:
        if any(key in self._cache for key in asked.cache_keys()):
            return
        if self._running:
            self._retry_at = time.perf_counter() + RETRY_SECONDS
            self._retry_ahead = asked if decode_ms == AHEAD_MS else None
            return
        self._running = True
        threading.Thread(target=self._post, args=(asked, decode_ms), daemon=True).start()

    def _post(self, asked: Surroundings, decode_ms: int) -> None:
        indentation = len(asked.prompt) - len(asked.prompt.lstrip())
        body = {
            "id_slot": 0,
            "input_prefix": asked.prefix,
            "input_suffix": asked.suffix,
            "input_extra": [],
            "prompt": asked.prompt,
            "n_predict": LONGEST_ANSWER,
            "n_indent": indentation,
            "top_k": 40,
            "top_p": 0.90,
            "samplers": ["top_k", "top_p", "infill"],
            "seed": 1,
            "stream": False,
            "cache_prompt": True,
            "t_max_prompt_ms": PROMPT_MS,
            "t_max_predict_ms": decode_ms,
        }
        response = self._server.client.post("/infill", json=body).raise_for_status()
        self._done.put((asked, response.json()["content"]))

    @override
    def work(self) -> Work:
        """Gives the server's work. The shown tokens are None: the server does not know them."""
        lines = self._server.client.get("/metrics").text.splitlines()
        values = dict(line.split(" ", 1) for line in lines if line[:1] not in ("#", ""))
        return Work(
            int(float(values["llamacpp:prompt_tokens_total"])),
            int(float(values["llamacpp:tokens_predicted_total"])),
        )

    @override
    def facts(self) -> dict[str, Any]:
        return {"remembered": len(self._cache) // (TRIMMED_TOPS + 1)}

    @override
    def processes(self) -> dict[str, psutil.Process]:
        return {"server": self._server.process}

    @override
    def stop(self) -> None:
        self._server.stop()


def _as_shown(text: str, here: Surroundings) -> str:
    """Gives an answer as it is shown, without line ends at its end; "" if it is not shown.

    An answer that repeats the suffix is not shown.
    """
    text = text.rstrip("\n")
    if not text.strip():
        return ""
    first, _, rest = here.suffix.partition("\n")
    following = [line for line in rest.split("\n") if line.strip()][:1]
    if following and (here.prompt + text).split("\n")[0].rstrip() == following[0].rstrip():
        return ""
    return "" if first and text == first else text
