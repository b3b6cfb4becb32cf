"""Short stretches of files, and how much two of them have in common."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from mistral_lsp.context.related import WORD
from mistral_lsp.document import Snapshot

ROWS = 16
STEP = 8
"""Lines from one snippet of a file to the next, which have the others in common."""
BEFORE = 10
"""Lines up to the cursor that say what is being written."""
LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Snippet:
    """Some lines of a file, from the line number `first` on, and the words in them."""

    path: str
    first: int
    lines: tuple[str, ...]
    words: frozenset[str]

    @property
    def text(self) -> str:
        """The lines, joined, without blank ones at the ends."""
        return "\n".join(self.lines).strip("\n")

    def overlaps(self, other: Snippet) -> bool:
        """Whether both have a line of one file in common."""
        ends = (self.first + len(self.lines), other.first + len(other.lines))
        return self.path == other.path and self.first < ends[1] and other.first < ends[0]


def cut(path: str, lines: Sequence[str]) -> list[Snippet]:
    """All snippets of a file."""
    last = max(1, len(lines) - STEP)
    return [_snippet(path, first, lines[first : first + ROWS]) for first in range(0, last, STEP)]


def around(snapshot: Snapshot, offset: int) -> Snippet:
    """The snippet with a place in the middle."""
    number, _ = snapshot.place(offset)
    first = max(0, number - ROWS // 2)
    last = min(snapshot.line_count(), first + ROWS)
    return _snippet(snapshot.path, first, [snapshot.line(line) for line in range(first, last)])


def written(snapshot: Snapshot, offset: int) -> frozenset[str]:
    """The words of the lines that end at a place."""
    number, column = snapshot.place(offset)
    lines = [snapshot.line(line) for line in range(max(0, number - BEFORE + 1), number)]
    return _words([*lines, snapshot.line(number)[:column]])


def likeness(one: frozenset[str], two: frozenset[str]) -> float:
    """How many of all words are in both (Jaccard's index), 0 to 1."""
    common = len(one & two)
    return common / max(1, len(one) + len(two) - common)


def _snippet(path: str, first: int, lines: Sequence[str]) -> Snippet:
    kept = tuple(line[:LONGEST_LINE] for line in lines)
    return Snippet(path, first, kept, _words(kept))


def _words(lines: Sequence[str]) -> frozenset[str]:
    # The same few words over and over: each is kept once.
    return frozenset(map(sys.intern, WORD.findall("\n".join(lines))))
