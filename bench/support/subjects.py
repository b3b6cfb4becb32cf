"""What the latency bench drives: a completion server as its editor sees it. Ours is here."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from bench.support.lsp_client import ALONE, Client, Message, apart
from bench.support.typist import Document, Edit

LOOK_SECONDS = 4.0
"""From a new place on the screen to the first key there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was shown: its text, and the milliseconds until its first piece, its first line, and all
    of it.
    """

    text: str
    first_ms: float
    full_ms: float
    line_ms: float


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens since the start: of prompts evaluated, decoded, and of these ever shown (or None)."""

    evaluated: int = 0
    decoded: int = 0
    shown: int | None = None

    def plus(self, later: Work, earlier: Work) -> Work:
        """This and what was done between two moments."""
        shown = None
        if later.shown is not None:
            shown = (self.shown or 0) + later.shown - (earlier.shown or 0)
        return Work(
            self.evaluated + later.evaluated - earlier.evaluated,
            self.decoded + later.decoded - earlier.decoded,
            shown,
        )


class Subject(Protocol):
    """A server under test, with the client that drives it in its own way."""

    name: str
    goes_on: bool
    """Whether it is so fast that more lines cost little time and make its percentiles surer."""

    def start(self) -> None:
        """Starts the server and waits until it can answer."""

    def open(self, document: Document) -> None:
        """Opens a document."""

    def edit(self, document: Document, edit: Edit) -> None:
        """Tells the server of an edit that `document` is about to take."""

    def ask(self, document: Document) -> None:
        """Asks for ghost text at the cursor, as the client does after a keystroke."""

    def wait(self, until: float) -> Answer | None:
        """What is shown for the latest `ask`, or None where nothing came until that time.

        The time is one of time.perf_counter.
        """

    def cancel(self) -> None:
        """Drops the latest `ask`, as the client does when a key comes before the answer."""

    def rest(self, until: float) -> None:
        """Lets time pass until then, doing what the client does of itself meanwhile."""

    def settle(self) -> None:
        """Lets the client finish what it does of itself, which gives a peer its best case."""

    def look(self) -> None:
        """Lets the moment pass in which a user looks at a new place, where the server uses that."""

    def work(self) -> Work:
        """What the server has done so far."""

    def facts(self) -> dict[str, Any]:
        """What the server says about itself: engine, window, cancel times."""

    def processes(self) -> dict[str, psutil.Process]:
        """Its processes, by their part in the work."""

    def stop(self) -> None:
        """Ends the server."""


@dataclass
class Ours:
    """mistral-lsp over its pipes, asked as an editor asks: automatic, growing answers wanted."""

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
        """Its name in the tables."""
        self.name = f"mistral-lsp {self.engine}"

    def arguments(self) -> list[str]:
        """What of the command line picks engine and model."""
        model = ["--model", str(Path(self.model).resolve())] if self.model else []
        return ["--engine", self.engine, *model]

    def start(self) -> None:
        """See Subject."""
        arguments = ["--window", str(self.window), "--threads", str(self.threads)]
        command = [*self.command, *self.arguments(), *arguments]
        self.client = Client(command, {**apart(), **self.environment})
        self.client.initialize({**ALONE, **self.settings})
        self.client.wait_until_ready(timeout=600)

    def open(self, document: Document) -> None:
        """See Subject."""
        self.client.open(document.uri, document.text, document.language)

    def edit(self, document: Document, edit: Edit) -> None:
        """See Subject."""
        line = document.lines[document.line]
        start, end = ((document.line, _units(line[:column])) for column in (edit.start, edit.end))
        self.client.change(document.uri, document.version + 1, start, end, edit.text)

    def ask(self, document: Document) -> None:
        """See Subject."""
        self.client.notifications.clear()
        self._begun = time.perf_counter()
        self._asked = self.client.ask(
            document.uri, document.line, _units(document.before), token=token_of(self._begun)
        )

    def wait(self, until: float) -> Answer | None:
        """See Subject."""
        try:
            return timed(self.client, self._asked, self._begun, until - time.perf_counter())
        except TimeoutError:
            return None

    def cancel(self) -> None:
        """See Subject."""
        self.client.notify("$/cancelRequest", {"id": self._asked})

    def rest(self, until: float) -> None:
        """See Subject."""
        time.sleep(max(0.0, until - time.perf_counter()))

    def settle(self) -> None:
        """See Subject. An editor does nothing of itself."""

    def look(self) -> None:
        """See Subject."""
        time.sleep(LOOK_SECONDS)

    def work(self) -> Work:
        """See Subject."""
        return Work(**self.client.status()["work_tokens"])

    def facts(self) -> dict[str, Any]:
        """See Subject."""
        status = self.client.status()
        kept = ("model", "form", "window", "working_window", "cancel_to_idle_ms")
        return {name: status[name] for name in kept} | {"cached": status["requests"]["cached"]}

    def processes(self) -> dict[str, psutil.Process]:
        """See Subject."""
        pids = {"server": self.client.process.pid, "host": self.client.status()["host_pid"]}
        return {part: psutil.Process(pid) for part, pid in pids.items() if pid is not None}

    def stop(self) -> None:
        """See Subject."""
        self.client.close()
        self.client.kill()


def token_of(begun: float) -> str:
    """What growing answers to the request of that moment are marked with: another for each, so
    that a late piece of an older answer is not taken for one of this.
    """
    return f"grow{begun}"


def timed(client: Client, number: int, begun: float, seconds: float) -> Answer:
    """Waits so long for the answer to a request that grew under `token_of(begun)`.

    Raises TimeoutError.
    """
    arrived, message = client.response(number, seconds)
    text = _text(message["result"])
    grown = client.growth(token_of(begun))
    line = text.lstrip().partition("\n")[0]
    whole = [when for when, piece in grown if _text(piece).lstrip().startswith(line)]
    moments = (min([arrived, *(when for when, _ in grown)]), arrived, min([arrived, *whole]))
    return Answer(text, *((moment - begun) * 1000 for moment in moments))


def _text(answer: Message) -> str:
    """The text of an answer, or of what it has grown to."""
    text: str = answer["items"][0]["insertText"] if answer["items"] else ""
    return text


def _units(text: str) -> int:
    """UTF-16 units, in which the protocol counts columns."""
    return len(text.encode("utf-16-le")) // 2


def cpu_seconds(process: psutil.Process) -> float:
    """Processor seconds that a process has used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def peak_mb(process: psutil.Process) -> float:
    """The most resident memory that a process ever had, in MB; what it has now where unknown."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    return round(float(process.memory_info().rss) / 1e6, 1)
