"""The protocol of the latency bench's subjects, and the subject mistral-lsp."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil
from typing_extensions import override

from bench.support.lsp_client import ALONE, Client, Message, apart
from bench.support.typist import Document, Edit

LOOK_SECONDS = 4.0
"""The seconds from the cursor's arrival at a new place to the first key there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was shown: its text, and the ms to its first piece, first line and end."""

    text: str
    first_ms: float
    full_ms: float
    line_ms: float


@dataclass(frozen=True, slots=True)
class Work:
    """Numbers of tokens: evaluated in prompts, decoded, and shown (None if unknown)."""

    evaluated: int = 0
    decoded: int = 0
    shown: int | None = None

    def plus(self, later: Work, earlier: Work) -> Work:
        """Gives this work plus the work between the two totals `earlier` and `later`."""
        shown = None
        if later.shown is not None:
            shown = (self.shown or 0) + later.shown - (earlier.shown or 0)
        return Work(
            self.evaluated + later.evaluated - earlier.evaluated,
            self.decoded + later.decoded - earlier.decoded,
            shown,
        )


class Subject(Protocol):
    """A server that is measured, with a client that behaves like the server's editor plugin."""

    name: str
    goes_on: bool
    """Whether more lines are typed, for more reliable percentiles. False for slow servers."""

    def start(self) -> None:
        """Starts the server and waits until it can answer."""

    def open(self, document: Document) -> None:
        """Opens a document."""

    def edit(self, document: Document, edit: Edit) -> None:
        """Sends an edit to the server. It has not been applied to `document` yet."""

    def ask(self, document: Document) -> None:
        """Requests ghost text at the cursor, as the client does after a keystroke."""

    def wait(self, until: float) -> Answer | None:
        """Waits for the answer to the latest `ask`; None if none has come by `until`.

        `until` is a time of time.perf_counter.
        """

    def cancel(self) -> None:
        """Cancels the latest `ask`, as the client does when a key comes before the answer."""

    def rest(self, until: float) -> None:
        """Waits until the time `until`. The client does its usual background work meanwhile."""

    def settle(self) -> None:
        """Lets the client finish its background work. That time is not measured."""

    def look(self) -> None:
        """Waits as long as a user looks at a new place.

        Does nothing if the server would not work meanwhile.
        """

    def work(self) -> Work:
        """Gives the work that the server has done so far."""

    def facts(self) -> dict[str, Any]:
        """Gives facts that the server reports: engine, window, cancel times."""

    def processes(self) -> dict[str, psutil.Process]:
        """Gives the server's processes, by role."""

    def stop(self) -> None:
        """Ends the server."""


@dataclass
class Ours(Subject):
    """The subject mistral-lsp, over pipes.

    Its requests are those of an editor: automatic, with streamed answers.
    """

    engine: str
    model: str = ""
    window: int = 0
    threads: int = 0
    command: Sequence[str] = (sys.executable, "-m", "mistral_lsp")
    environment: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=lambda: {"deadlineMs": 60000})
    goes_on = True
    name: str = field(init=False)
    client: Client = field(init=False)
    _asked: int = 0
    _begun: float = 0.0

    def __post_init__(self) -> None:
        self.name = f"mistral-lsp {self.engine}"

    def arguments(self) -> list[str]:
        """Gives the command line options for the engine and the model."""
        model = ["--model", str(Path(self.model).resolve())] if self.model else []
        return ["--engine", self.engine, *model]

    @override
    def start(self) -> None:
        arguments = ["--window", str(self.window), "--threads", str(self.threads)]
        command = [*self.command, *self.arguments(), *arguments]
        self.client = Client(command, {**apart(), **self.environment})
        self.client.initialize({**ALONE, **self.settings})
        self.client.wait_until_ready(timeout=600)

    @override
    def open(self, document: Document) -> None:
        self.client.open(document.uri, document.text, document.language)

    @override
    def edit(self, document: Document, edit: Edit) -> None:
        line = document.lines[document.line]
        start, end = ((document.line, _units(line[:column])) for column in (edit.start, edit.end))
        self.client.change(document.uri, document.version + 1, start, end, edit.text)

    @override
    def ask(self, document: Document) -> None:
        self.client.notifications.clear()
        self._begun = time.perf_counter()
        self._asked = self.client.ask(
            document.uri, document.line, _units(document.before), token=token_of(self._begun)
        )

    @override
    def wait(self, until: float) -> Answer | None:
        try:
            return timed(self.client, self._asked, self._begun, until - time.perf_counter())
        except TimeoutError:
            return None

    @override
    def cancel(self) -> None:
        self.client.notify("$/cancelRequest", {"id": self._asked})

    @override
    def rest(self, until: float) -> None:
        time.sleep(max(0.0, until - time.perf_counter()))

    @override
    def settle(self) -> None:
        """Does nothing: an editor does no background work."""

    @override
    def look(self) -> None:
        time.sleep(LOOK_SECONDS)

    @override
    def work(self) -> Work:
        return Work(**self.client.status()["work_tokens"])

    @override
    def facts(self) -> dict[str, Any]:
        status = self.client.status()
        kept = ("model", "form", "window", "working_window", "cancel_to_idle_ms")
        return {name: status[name] for name in kept} | {"cached": status["requests"]["cached"]}

    @override
    def processes(self) -> dict[str, psutil.Process]:
        pids = {"server": self.client.process.pid, "host": self.client.status()["host_pid"]}
        return {part: psutil.Process(pid) for part, pid in pids.items() if pid is not None}

    @override
    def stop(self) -> None:
        self.client.close()
        self.client.kill()


def token_of(begun: float) -> str:
    """Gives the progress token of the request sent at `begun`.

    Late pieces of older answers have other tokens.
    """
    return f"grow{begun}"


def timed(client: Client, number: int, begun: float, seconds: float) -> Answer:
    """Waits up to `seconds` for a request's answer; gives it with the times since `begun`.

    Partial answers have the progress token `token_of(begun)`. Raises TimeoutError.
    """
    arrived, message = client.response(number, seconds)
    text = _text(message["result"])
    grown = client.growth(token_of(begun))
    line = text.lstrip().partition("\n")[0]
    whole = [when for when, piece in grown if _text(piece).lstrip().startswith(line)]
    moments = (min([arrived, *(when for when, _ in grown)]), arrived, min([arrived, *whole]))
    return Answer(text, *((moment - begun) * 1000 for moment in moments))


def _text(answer: Message) -> str:
    """Gives the text of a whole answer or of a partial one."""
    text: str = answer["items"][0]["insertText"] if answer["items"] else ""
    return text


def _units(text: str) -> int:
    """Counts UTF-16 units, in which the protocol counts columns."""
    return len(text.encode("utf-16-le")) // 2


def cpu_seconds(process: psutil.Process) -> float:
    """Gives the processor seconds that a process has used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def peak_mb(process: psutil.Process) -> float:
    """Gives the peak resident memory of a process in MB; the present one if the peak is unknown."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    return round(float(process.memory_info().rss) / 1e6, 1)
