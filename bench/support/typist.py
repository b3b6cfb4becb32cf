"""A document that somebody types in, and the fixed places and seeded rhythm of that typing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TRUTH = Path(__file__).parents[1] / "data" / "truth"
LANGUAGES = {".py": "python", ".ts": "typescript", ".tsx": "typescriptreact", ".js": "javascript"}
SHORTEST_LINE = 20
"""Characters; a shorter line says little about typing."""
SHORTEST_FILE = 110
"""Lines; in a shorter one the window is never full."""
MEDIAN_SECONDS = 0.12
BURST_SECONDS = 0.07
BURST_CHANCE = 0.3
PAUSE_SECONDS = 0.6
SPREAD = 0.45
"""Of the logarithm of the time between two keys, about what typing studies find."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file that is to be typed again: its path and its number, from 0."""

    path: Path
    line: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the characters from `start` to `end` of the cursor's line by `text`."""

    start: int
    end: int
    text: str


@dataclass
class Document:
    """A file without the rest of one line, and maybe the lines below; the cursor where that rest
    begins.
    """

    path: Path
    lines: list[str]
    line: int
    column: int
    wanted: str
    """The line as the file has it, as far as it is to be typed."""
    below: list[str] = field(default_factory=list)
    """The lines that are to be typed behind it."""
    later: list[str] = field(default_factory=list)
    """The lines from the cursor's on, where there is more to type once that is done."""
    version: int = 1
    language: str = field(init=False)
    place: int = field(init=False)

    def __post_init__(self) -> None:
        """The language follows from the name."""
        self.place = self.line
        self.language = LANGUAGES.get(self.path.suffix, "plaintext")

    @classmethod
    def at(cls, place: Place, keys: int, count: int = 1, more: int = 0) -> Document:
        """The file without the code of the `count` lines from `place` on, and `more` behind them.

        Of the first line `keys` characters are wanted, or all of them where that is 0.
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
        """Lets what is left of the last line be typed, and what was to come later."""
        self.wanted, *self.below = self.later

    @property
    def uri(self) -> str:
        """A name of its own for every place, so that none is warm from another."""
        return f"file:///bench/{self.place}/{self.path.name}"

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n".join(self.lines)

    @property
    def before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.lines[self.line][: self.column]

    @property
    def after(self) -> str:
        """The cursor's line from the cursor on."""
        return self.lines[self.line][self.column :]

    @property
    def left(self) -> str:
        """What is still to be typed; "" at the line's end."""
        return self.wanted[self.column :]

    def next_key(self) -> str:
        """What the next key types: a character, a line end with the indentation that an editor puts
        behind it, or "" where all is typed.
        """
        if self.left or not self.below:
            return self.left[:1]
        following = self.below[0]
        return "\n" + following[: len(following) - len(following.lstrip())]

    def apply(self, edit: Edit) -> None:
        """Changes the line; the cursor then stands behind the new text."""
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
        """The edit that types `text` at the cursor."""
        return Edit(self.column, self.column, text)

    def deleted(self, count: int) -> Edit:
        """The edit that deletes `count` characters before the cursor."""
        return Edit(max(0, self.column - count), self.column, "")


def choose_places(path: Path, count: int) -> list[Place]:
    """Lines of code in the lower two thirds of a file, the same ones every time."""
    lines = path.read_text(encoding="utf-8").split("\n")
    worth = [number for number, line in enumerate(lines) if _is_worth_typing(line)]
    worth = worth[len(worth) // 3 :]
    chosen = random.Random(path.name).sample(worth, min(count, len(worth)))
    return [Place(path, number) for number in sorted(chosen)]


def _is_worth_typing(line: str) -> bool:
    code = line.strip()
    return len(code) >= SHORTEST_LINE and not code.startswith(("#", "//", "*", "/*", '"""'))


def shipped_places(count: int) -> list[Place]:
    """Places in every longer file of bench/data/truth, `count` in each."""
    files = sorted(path for path in TRUTH.rglob("*") if path.suffix in LANGUAGES)
    longer = [
        path for path in files if path.read_text(encoding="utf-8").count("\n") >= SHORTEST_FILE
    ]
    return [place for path in longer for place in choose_places(path, count)]


def rhythm(seed: int) -> Iterator[float]:
    """Seconds until the next key, for ever: log-normal around the median, with bursts and pauses.

    A word is often typed in a burst, and now and then one stops to think.
    """
    chance = random.Random(seed)
    while True:
        middle = BURST_SECONDS if chance.random() < BURST_CHANCE else MEDIAN_SECONDS * 1.15
        for _ in range(chance.randint(2, 7)):
            yield middle * chance.lognormvariate(0.0, SPREAD)
        if chance.random() < 0.25:
            yield PAUSE_SECONDS * chance.lognormvariate(0.0, SPREAD)
