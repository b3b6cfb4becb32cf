"""Finds the snippets of other files most similar to the code at the cursor.

The candidates are the places where the user has been, and snippets of the nearest files, read by a
thread. The measure is the Jaccard index of the words, as in RepoCoder
(https://arxiv.org/abs/2303.12570), with more weight for words near the cursor.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from mistral_lsp.context import freshness, walk
from mistral_lsp.context.files import MISSING, Stamp
from mistral_lsp.context.index import Index, Known
from mistral_lsp.context.recent import Recent
from mistral_lsp.context.related import CountTokens
from mistral_lsp.context.snippets import Snippet, cut, relevance, written
from mistral_lsp.document import Snapshot
from mistral_lsp.types import Excerpt

NEAREST_FILES = 64
"""Files read for snippets, the nearest ones."""
KEPT_FILES = 96
"""Files whose snippets are kept; 22 MB for the longest files of Python's own library."""
KEPT_WORDS, WORDS_OF_A_SNIPPET = 2_000_000, 8
"""Words of snippets kept in memory. A snippet's overhead counts as WORDS_OF_A_SNIPPET words."""
LONGEST_SECONDS = 3.0
"""Seconds. After that, no more files are read for a search."""
MOST = 12
"""Snippets tried to fill the budget, at most; the most similar ones."""
UNLIKE = 0.03
"""Similarity, 0 to 1. A snippet at or below it is left out."""
DEADLINE_SECONDS = 0.3
"""Seconds that a prompt waits for snippets. The files read by then serve the next prompt."""


class Nearby:
    """An LRU of the snippets of files; a changed file is read again. Used by any thread."""

    def __init__(self, clean: Callable[[str, str], str] | None = None) -> None:
        """Starts empty. `clean` gets a file's path and text, and gives the text without secrets.

        It keeps the number of lines.
        """
        self._clean = clean or (lambda _, text: text)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Stamp, list[Snippet], int]] = OrderedDict()
        self._words = 0

    def of(self, known: Known, stamp: Stamp) -> list[Snippet]:
        """Gives a file's snippets, given its present `stamp`; none if it can't be read."""
        with self._lock:
            kept = self._kept.get(known.file)
            if kept is None or kept[0] != stamp:
                self._forget(known.file)
                found = walk.read_text(known.file)
                text, stamp = ("", stamp) if found is None else found
                snippets = cut(known.file, known.path, self._clean(known.path, text).splitlines())
                words = sum(len(snippet.words) + WORDS_OF_A_SNIPPET for snippet in snippets)
                kept = stamp, snippets, words
                self._words += words
            self._kept[known.file] = kept
            self._kept.move_to_end(known.file)
            while len(self._kept) > KEPT_FILES or self._words > KEPT_WORDS:
                self._forget(next(iter(self._kept)))
            return kept[1]

    def _forget(self, file: str) -> None:
        _, _, words = self._kept.pop(file, (MISSING, [], 0))
        self._words -= words


async def choose(
    snapshot: Snapshot,
    offset: int,
    index: Index,
    recent: Recent,
    nearby: Nearby,
    budget: int,
    count: CountTokens,
    seconds: float | None,
) -> tuple[Excerpt, ...]:
    """Gives excerpts of other files, at most `budget` tokens in all, the most similar last.

    Gives nothing if the search takes more than `seconds`. Files outside the index stay out: they
    may be excluded by the user or ignored by git.
    """
    known = {one.file: one for one in index if one.folder is not None and one.is_told}
    if not known:
        return ()
    counts = written(snapshot, offset)
    visited = [place for place in recent.all() if place.file in known]
    finding = asyncio.to_thread(_most_similar, snapshot.file, counts, visited, known, nearby)
    try:
        found, stamps = await asyncio.wait_for(finding, seconds)
    except asyncio.TimeoutError:
        return ()
    present = freshness.settle(index, {file: known[file] for file in stamps}, stamps)
    found = [snippet for snippet in found if snippet.file in present]
    chosen: list[Excerpt] = []
    for snippet in found:
        excerpt = Excerpt(snippet.path, snippet.text, snippet.file)
        tokens = sum(await count([f"{excerpt.path}\n{excerpt.text}"]))
        if tokens <= budget:
            budget -= tokens
            chosen.append(excerpt)
    return tuple(reversed(chosen))


def _most_similar(
    file: str,
    counts: Mapping[str, float],
    visited: Sequence[Snippet],
    known: Mapping[str, Known],
    nearby: Nearby,
) -> tuple[list[Snippet], dict[str, Stamp]]:
    """Ranks snippets, the most similar first; also gives the stamps of all files looked at.

    Of two overlapping snippets the more similar is kept; of two equally similar ones, the one
    where the user has been.
    """
    end = time.monotonic() + LONGEST_SECONDS
    others = ((walk.distance(other, file), other) for other in known if other != file)
    near = [known[other] for _, other in heapq.nsmallest(NEAREST_FILES, others)]
    elsewhere = [place for place in visited if place.file != file]
    seen = [*near, *(known[place.file] for place in elsewhere)]
    stamps = walk.look(freshness.places(seen))
    for one in near:
        stamp = stamps[one.file]
        if stamp != MISSING and time.monotonic() < end:
            elsewhere += nearby.of(one, stamp)
    return _best(elsewhere, counts), stamps


def _best(snippets: Sequence[Snippet], counts: Mapping[str, float]) -> list[Snippet]:
    ranked = heapq.nlargest(
        MOST * 3,
        ((relevance(counts, snippet), -place) for place, snippet in enumerate(snippets)),
    )
    chosen: list[Snippet] = []
    for alike, place in ranked:
        snippet = snippets[-place]
        if alike > UNLIKE and not any(snippet.overlaps(other) for other in chosen):
            chosen.append(snippet)
    return chosen[:MOST]
