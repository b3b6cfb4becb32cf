"""Simulated typing: a document, fixed places in it, and a rhythm that is always the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TRUTH = Path(__file__).parents[1] / "data" / "truth"
LANGUAGES = {".py": "python", ".ts": "typescript", ".tsx": "typescriptreact", ".js": "javascript"}
SHORTEST_LINE = 20
"""The fewest characters of a line that is typed."""
SHORTEST_FILE = 110
"""The fewest lines of a file that is used. Shorter files never fill the window."""
MEDIAN_SECONDS = 0.12
BURST_SECONDS = 0.07
BURST_CHANCE = 0.3
PAUSE_SECONDS = 0.6
SPREAD = 0.45
"""The standard deviation of the logarithm of the time between two keys, as in typing studies."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line to be typed again: the path of its file, and its number, counted from 0."""

    path: Path
    line: int


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that replaces the characters from `start` to `end` in the cursor's line by `text`."""

    start: int
    end: int
    text: str


@dataclass
class Document:
    """A file with a gap at the cursor. The rest of a line is missing, and maybe lines below it."""

    path: Path
    lines: list[str]
    line: int
    column: int
    wanted: str
    """The cursor's line, up to the last character to be typed."""
    below: list[str] = field(default_factory=list)
    """The lines to be typed after `wanted`."""
    later: list[str] = field(default_factory=list)
    """The lines to be typed after `go_on`. The first of them is the cursor's line, completed."""
    version: int = 1
    language: str = field(init=False)
    place: int = field(init=False)

    def __post_init__(self) -> None:
        """Keeps the first line's number as `place`; sets the language by the file's suffix."""
        self.place = self.line
        self.language = LANGUAGES.get(self.path.suffix, "plaintext")

    @classmethod
    def at(cls, place: Place, keys: int, count: int = 1, more: int = 0) -> Document:
        """Gives the file with a gap at `place`: `count` lines to type, then `more` for `go_on`.

        `keys` is the number of characters to type in the first line; 0 means all of them.
        """
        lines = place.path.read_text(encoding="utf-8").split("\n")
        gone = lines[place.line : place.line + count + more]
        wanted = gone[0]
        column = len(wanted) - len(wanted.lstrip())
        lines[place.line : place.line + count + more] = [wanted[:column]]
        end = column + keys if keys else len(wanted)
        below, later = gone[1:count], gone[count - 1 :]
        return cls(place.path, lines, place.line, column, wanted[:end], below, later)

    def go_on(self) -> None:
        """Makes `later` the lines to be typed. The rest of the cursor's line comes first."""
        self.wanted, *self.below = self.later

    @property
    def uri(self) -> str:
        """The document's URI. It differs from place to place, so that each window starts cold."""
        return f"file:///bench/{self.place}/{self.path.name}"

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n".join(self.lines)

    @property
    def before(self) -> str:
        """The text of the cursor's line before the cursor."""
        return self.lines[self.line][: self.column]

    @property
    def after(self) -> str:
        """The text of the cursor's line after the cursor."""
        return self.lines[self.line][self.column :]

    @property
    def left(self) -> str:
        """The part of the cursor's line that is still to be typed; "" at the line's end."""
        return self.wanted[self.column :]

    def next_key(self) -> str:
        """Gives the text of the next key; "" if all is typed.

        It is a character, or a line end with the indentation that the editor inserts.
        """
        if self.left or not self.below:
            return self.left[:1]
        following = self.below[0]
        return "\n" + following[: len(following) - len(following.lstrip())]

    def apply(self, edit: Edit) -> None:
        """Applies an edit. The cursor is then after the new text."""
        line = self.lines[self.line]
        changed = line[: edit.start] + edit.text + line[edit.end :]
        self.column = edit.start + len(edit.text)
        if "\n" in edit.text:
            above, changed = changed.split("\n")
            self.lines.insert(self.line, above)
            self.line += 1
            self.column = len(edit.text) - 1
            self.wanted = self.below.pop(0)
        self.lines[self.line] = changed
        self.version += 1

    def typed(self, text: str) -> Edit:
        """Gives the edit for typing `text` at the cursor."""
        return Edit(self.column, self.column, text)

    def deleted(self, count: int) -> Edit:
        """Gives the edit for deleting `count` characters before the cursor."""
        return Edit(max(0, self.column - count), self.column, "")


def choose_places(path: Path, count: int) -> list[Place]:
    """Chooses lines of code in the lower two thirds of a file. They are always the same."""
    lines = path.read_text(encoding="utf-8").split("\n")
    worth = [number for number, line in enumerate(lines) if _is_worth_typing(line)]
    worth = worth[len(worth) // 3 :]
    chosen = random.Random(path.name).sample(worth, min(count, len(worth)))
    return [Place(path, number) for number in sorted(chosen)]


def _is_worth_typing(line: str) -> bool:
    code = line.strip()
    return len(code) >= SHORTEST_LINE and not code.startswith(("#", "//", "*", "/*", '"""'))


def shipped_places(count: int) -> list[Place]:
    """Gives `count` places in each file of bench/data/truth that is long enough."""
    files = sorted(path for path in TRUTH.rglob("*") if path.suffix in LANGUAGES)
    longer = [
        path for path in files if path.read_text(encoding="utf-8").count("\n") >= SHORTEST_FILE
    ]
    return [place for path in longer for place in choose_places(path, count)]


def rhythm(seed: int) -> Iterator[float]:
    """Yields the seconds between keystrokes, without end. They are log-normally distributed.

    A word is often typed in a burst, and sometimes a user pauses to think.
    """
    chance = random.Random(seed)
    while True:
        middle = BURST_SECONDS if chance.random() < BURST_CHANCE else MEDIAN_SECONDS * 1.15
        for _ in range(chance.randint(2, 7)):
            yield middle * chance.lognormvariate(0.0, SPREAD)
        if chance.random() < 0.25:
            yield PAUSE_SECONDS * chance.lognormvariate(0.0, SPREAD)
