"""Short stretches of files, and how much two of them have in common."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mistral_lsp.context.related import WORD
from mistral_lsp.document import Snapshot

ROWS = 10
STEP = 5
"""Lines from one snippet of a file to the next, which have the others in common."""
BEFORE, AFTER = 10, 5
"""Lines up to the cursor, and below its line, that say what is being written."""
NEAR_LINES = 4
"""Lines from the cursor at which a word counts half as much as at the cursor."""
BEHIND = 0.5
"""What a word counts below the cursor's line, beside one as far above it."""
SHORTEST_BEGINNING = 4
"""Characters of a line that say how it may go on."""
BEGUN_ALIKE = 0.1
"""What a snippet counts more that has a line with the same beginning."""
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


@dataclass(frozen=True, slots=True)
class Sought:
    """What is being written: the words around the cursor and how much each counts, up to 1, the
    nearer, the more; and the `line` up to the cursor, without its indentation.
    """

    words: Mapping[str, float]
    line: str


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


def sought(snapshot: Snapshot, offset: int) -> Sought:
    """What is being written at a place."""
    number, column = snapshot.place(offset)
    line = snapshot.line(number)[:column]
    above = [snapshot.line(place) for place in range(max(0, number - BEFORE + 1), number)]
    last = min(snapshot.line_count(), number + 1 + AFTER)
    below = [snapshot.line(place) for place in range(number + 1, last)]
    words: dict[str, float] = {}
    for factor, lines in ((1.0, [line, *above[::-1]]), (BEHIND, below)):
        for distance, text in enumerate(lines):
            weight = factor * NEAR_LINES / (NEAR_LINES + distance)
            for word in _words([text]):
                words[word] = max(words.get(word, 0.0), weight)
    return Sought(words, line.strip())


def relevance(here: Sought, snippet: Snippet) -> float:
    """How much a snippet says about what is being written: 0 to 1, and more where it has a line
    that begins as the one at the cursor. The words count by Jaccard's index, weighted.
    """
    common = sum(here.words[word] for word in here.words.keys() & snippet.words)
    alike = common / max(1.0, sum(here.words.values()) + len(snippet.words) - common)
    if len(here.line) < SHORTEST_BEGINNING:
        return alike
    return alike + BEGUN_ALIKE * any(line.lstrip().startswith(here.line) for line in snippet.lines)


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
