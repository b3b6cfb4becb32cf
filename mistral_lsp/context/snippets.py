"""Cuts files into snippets, and measures how similar two snippets are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mistral_lsp.context.related import WORD, weigh
from mistral_lsp.document import Snapshot

See = Callable[[Snapshot, int, int], str]
"""Gives a file's text between two offsets, perhaps without secrets. The number of lines must not
change.
"""
ROWS = 10
"""Number of lines of a snippet."""
STEP = 5
"""Number of lines from the start of a snippet to the start of the next one. Neighbours overlap,
since ROWS is larger.
"""
BEFORE, AFTER = 10, 5
"""Number of lines around the cursor that are compared with snippets: up to the cursor's own line,
and below it.
"""
NEAR_LINES = 4
"""Distance from the cursor, in lines, at which a word has half the weight that it has at the
cursor.
"""
LONGEST_LINE = 400
"""Maximum number of characters of a line in a snippet. The rest is cut off."""
MOST_LINES = 10_000
"""Maximum number of lines of a file that are cut into snippets. Files written by people have fewer.
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Some lines of a file, and the words in them, each once.

    `first` is the number of the first line. `file` identifies the file. `words` is a tuple, because
    a set would take nearly three times the memory.
    """

    file: str
    path: str
    first: int
    lines: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as one text, without blank lines at its start and end."""
        return "\n".join(self.lines).strip("\n")

    def overlaps(self, other: Snippet) -> bool:
        """Whether the two snippets have a line of the same file in common."""
        ends = (self.first + len(self.lines), other.first + len(other.lines))
        return self.file == other.file and self.first < ends[1] and other.first < ends[0]


def cut(file: str, path: str, lines: Sequence[str]) -> list[Snippet]:
    """Cuts a file's first MOST_LINES lines into snippets. Leaves out snippets without words."""
    last = max(1, min(len(lines), MOST_LINES) - STEP)
    found = (
        _snippet(file, path, first, lines[first : first + ROWS]) for first in range(0, last, STEP)
    )
    return [snippet for snippet in found if snippet.words]


def as_it_is(snapshot: Snapshot, start: int, end: int) -> str:
    """Gives the text of a file from `start` to `end`, unchanged."""
    return snapshot.text[start:end]


def around(snapshot: Snapshot, offset: int, see: See = as_it_is) -> Snippet:
    """Gives the snippet around `offset`, with the text that `see` gives."""
    number, _ = snapshot.place(offset)
    first = max(0, number - ROWS // 2)
    last = min(len(snapshot.lines), first + ROWS)
    text = see(snapshot, snapshot.starts[min(first, last)], snapshot.starts[last])
    lines = text.removesuffix("\n").split("\n")
    return _snippet(snapshot.file, snapshot.path, first, lines)


def written(snapshot: Snapshot, offset: int) -> dict[str, float]:
    """Gives the weight of each word around `offset`, at most 1. Nearer words weigh more."""
    number, column = snapshot.place(offset)
    above = [snapshot.line(line) for line in range(max(0, number - BEFORE + 1), number)]
    last = min(snapshot.line_count(), number + 1 + AFTER)
    below = [snapshot.line(line) for line in range(number + 1, last)]
    return weigh([snapshot.line(number)[:column], *above[::-1]], below, NEAR_LINES)


def relevance(counts: Mapping[str, float], snippet: Snippet) -> float:
    """Gives the weighted Jaccard index, 0 to 1, of the words in `counts` and in a snippet."""
    common = sum([counts[word] for word in snippet.words if word in counts])
    return common / max(1.0, sum(counts.values()) + len(snippet.words) - common)


def likeness(one: Snippet, two: Snippet) -> float:
    """Gives the Jaccard index, 0 to 1, of the words of two snippets."""
    common = len(set(one.words) & set(two.words))
    return common / max(1, len(one.words) + len(two.words) - common)


def _snippet(file: str, path: str, first: int, lines: Sequence[str]) -> Snippet:
    kept = tuple(line[:LONGEST_LINE] for line in lines)
    return Snippet(file, path, first, kept, _words(kept))


def _words(lines: Sequence[str]) -> tuple[str, ...]:
    # Interned: files repeat the same few words. Sorted: sums of weights are the same in every run.
    return tuple(map(sys.intern, sorted(set(WORD.findall("\n".join(lines))))))
