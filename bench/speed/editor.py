"""A simulated editor with several open files. It measures how long its user waits."""

from __future__ import annotations

import contextlib
import itertools
import string
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.quality.sets import TRUTH
from bench.speed.extent import Extent
from bench.speed.places import Spot
from bench.support.lsp_client import ALONE, Client
from bench.support.statistics import Rows, spread
from bench.support.subjects import Ours, timed, token_of

PATIENCE_SECONDS = 120.0
SETTINGS = {"deadlineMs": 60000, **ALONE}
"""Settings with which no answer is cut off by the deadline, and the host exits with its server."""
LEAVING_SECONDS = 20.0

_LETTERS = itertools.cycle(string.ascii_letters)


@dataclass(frozen=True, slots=True)
class Shown:
    """A request's result: text, token counts, and ms to the first piece, first line and end."""

    text: str
    first_ms: float
    line_ms: float
    full_ms: float
    evaluated: int
    asked_model: bool


@dataclass
class File:
    """A file that is open in the editor."""

    uri: str
    lines: list[str]
    version: int = 1


USUAL_EXTENT = Extent()


@dataclass(frozen=True, slots=True)
class Setup:
    """The server to be measured, its environment, and the extent of the checks."""

    engine: str
    model: str = ""
    window: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    extent: Extent = USUAL_EXTENT
    directory: Path = TRUTH
    """The folder with the code files in which `check_holes` makes gaps."""

    def subject(self, **settings: Any) -> Ours:
        """Creates a server without starting it."""
        return Ours(
            self.engine,
            self.model,
            self.window,
            environment=self.environment,
            settings={**SETTINGS, **settings},
        )

    @contextmanager
    def editor(self, is_last: bool = True, **settings: Any) -> Iterator[Editor]:
        """Starts an editor with its own server.

        With `is_last`, waits at the end until the host has exited, since a running host may write
        files.
        """
        subject = self.subject(**settings)
        subject.start()
        host = subject.client.status()["host_pid"]
        try:
            yield Editor(subject.client)
        finally:
            subject.stop()
            if is_last:
                _wait_until_gone(host)


def _wait_until_gone(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(LEAVING_SECONDS)


class Editor:
    """An editor window with its own server."""

    def __init__(self, client: Client):
        """`client` must be connected to a server that has loaded its model."""
        self.client = client

    def open(self, name: str, lines: Sequence[str]) -> File:
        """Opens a file with these lines."""
        file = File(f"file:///speed/{name}", list(lines))
        self.client.open(file.uri, "\n".join(lines))
        return file

    def look(self, file: File, spot: Spot) -> None:
        """Tells the server that the cursor is resting at a place."""
        position = {"line": spot.line, "character": spot.column}
        document = {"textDocument": {"uri": file.uri}, "position": position}
        self.client.notify("mistralLsp/didMoveCursor", document)

    def edit(self, file: File, start: Spot, end: Spot, text: str) -> Spot:
        """Replaces the text between two places. Gives the place after the new text."""
        file.version += 1
        self.client.change(file.uri, file.version, start, end, text)
        behind = file.lines[end.line][end.column :]
        new = (file.lines[start.line][: start.column] + text).split("\n")
        column = len(new[-1])
        new[-1] += behind
        file.lines[start.line : end.line + 1] = new
        return Spot(start.line + len(new) - 1, column)

    def type(self, file: File, spot: Spot, text: str) -> Spot:
        """Types a text. Gives the place after the text."""
        return self.edit(file, spot, spot, text)

    def type_letter(self, file: File, spot: Spot) -> Spot:
        """Types a letter. It is a different one every time, so that no cached answer fits."""
        return self.type(file, spot, next(_LETTERS))

    def ask(self, file: File, spot: Spot) -> Shown:
        """Sends an automatic request, as editors do; gives the whole answer."""
        self.client.notifications.clear()
        begun = time.perf_counter()
        number = self.client.ask(file.uri, *spot, token=token_of(begun))
        answer = timed(self.client, number, begun, PATIENCE_SECONDS)
        cost = self.client.status()["last_request"]
        times = (answer.first_ms, answer.line_ms, answer.full_ms)
        asked_model = cost["prompt_tokens"] > 0
        return Shown(answer.text, *times, cost["evaluated_tokens"], asked_model)

    def visit(self, file: File, spot: Spot, seconds: float) -> Shown:
        """Types a letter, requests ghost text, waits `seconds`, and deletes the letter."""
        behind = self.type_letter(file, spot)
        shown = self.ask(file, behind)
        time.sleep(seconds)
        self.edit(file, spot, behind, "")
        return shown


def first_ms(shown: Sequence[Shown]) -> Rows:
    """Gives the distribution of the times to the first piece."""
    return spread([one.first_ms for one in shown])


def work(editor: Editor) -> Rows:
    """Gives the numbers of tokens since the server's start: evaluated, decoded and shown."""
    found: Rows = editor.client.status()["work_tokens"]
    return found


def ghosts_ms(shown: Sequence[Shown]) -> Rows:
    """Gives the distribution of the times to the first piece, without empty answers."""
    return first_ms([one for one in shown if one.text])


def empty(shown: Sequence[Shown]) -> int:
    """Counts the empty answers."""
    return sum(not one.text for one in shown)


def asked_model(shown: Sequence[Shown]) -> int:
    """Counts the requests that reached the model.

    The others were refused, or answered from the cache.
    """
    return sum(one.asked_model for one in shown)


def evaluated(shown: Sequence[Shown]) -> Rows:
    """Gives the distribution of the numbers of prompt tokens evaluated."""
    return spread([one.evaluated for one in shown])
