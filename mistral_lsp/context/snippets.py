"""Short stretches of files, and how much two of them have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mistral_lsp.context.related import WORD, weigh
from mistral_lsp.document import Snapshot

See = Callable[[Snapshot, int, int], str]
"""Gives a stretch of a file, maybe without what is nobody's business; its lines stay."""
ROWS = 10
STEP = 5
"""Lines from one snippet of a file to the next, which have the others in common."""
BEFORE, AFTER = 10, 5
"""Lines up to the cursor, and below its line, that say what is being written."""
NEAR_LINES = 4
"""Lines from the cursor at which a word counts half as much as at the cursor."""
LONGEST_LINE = 400
MOST_LINES = 10_000
"""Of a file. In those that people write there are fewer."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Some lines of a file, from the line number `first` on, and the words in them, each once: as
    sets, they would take nearly three times the memory. `file` tells the file from all others.
    """

    file: str
    path: str
    first: int
    lines: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines, joined, without blank ones at the ends."""
        return "\n".join(self.lines).strip("\n")

    def overlaps(self, other: Snippet) -> bool:
        """Whether both have a line of one file in common."""
        ends = (self.first + len(self.lines), other.first + len(other.lines))
        return self.file == other.file and self.first < ends[1] and other.first < ends[0]


def cut(file: str, path: str, lines: Sequence[str]) -> list[Snippet]:
    """All snippets of a file that say something, up to its line MOST_LINES."""
    last = max(1, min(len(lines), MOST_LINES) - STEP)
    found = (
        _snippet(file, path, first, lines[first : first + ROWS]) for first in range(0, last, STEP)
    )
    return [snippet for snippet in found if snippet.words]


def as_it_is(snapshot: Snapshot, start: int, end: int) -> str:
    """A stretch of a file with all that stands in it."""
    return snapshot.text[start:end]


def around(snapshot: Snapshot, offset: int, see: See = as_it_is) -> Snippet:
    """The snippet with a place in the middle, as one may `see` it."""
    number, _ = snapshot.place(offset)
    first = max(0, number - ROWS // 2)
    last = min(len(snapshot.lines), first + ROWS)
    text = see(snapshot, snapshot.starts[min(first, last)], snapshot.starts[last])
    lines = text.removesuffix("\n").split("\n")
    return _snippet(snapshot.file, snapshot.path, first, lines)


def written(snapshot: Snapshot, offset: int) -> dict[str, float]:
    """The words around a place and how much each counts, up to 1: the nearer, the more."""
    number, column = snapshot.place(offset)
    above = [snapshot.line(line) for line in range(max(0, number - BEFORE + 1), number)]
    last = min(snapshot.line_count(), number + 1 + AFTER)
    below = [snapshot.line(line) for line in range(number + 1, last)]
    return weigh([snapshot.line(number)[:column], *above[::-1]], below, NEAR_LINES)


def relevance(counts: Mapping[str, float], snippet: Snippet) -> float:
    """How much of what counts is in the snippet, of that and all of its words, 0 to 1: Jaccard's
    index, weighted.
    """
    common = sum([counts[word] for word in snippet.words if word in counts])
    return common / max(1.0, sum(counts.values()) + len(snippet.words) - common)


def likeness(one: Snippet, two: Snippet) -> float:
    """How many of all words are in both (Jaccard's index), 0 to 1."""
    common = len(set(one.words) & set(two.words))
    return common / max(1, len(one.words) + len(two.words) - common)


def _snippet(file: str, path: str, first: int, lines: Sequence[str]) -> Snippet:
    kept = tuple(line[:LONGEST_LINE] for line in lines)
    return Snippet(file, path, first, kept, _words(kept))


def _words(lines: Sequence[str]) -> tuple[str, ...]:
    # The same few words over and over: each is kept once. In order, so that sums of what they count
    # are the same in every run.
    return tuple(map(sys.intern, sorted(set(WORD.findall("\n".join(lines))))))
