"""Finds the snippets of other files that are most similar to the code at the cursor.

The candidates are the places where the user has paused, and snippets of the nearest files. The
similarity is the Jaccard index of the words, as in RepoCoder (https://arxiv.org/abs/2303.12570),
but words near the cursor have more weight. Files are read in a thread.
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
"""Number of nearest files that are read for snippets."""
KEPT_FILES = 96
"""Maximum number of files whose snippets are kept. For the longest files of Python's own library,
they take 22 MB.
"""
KEPT_WORDS, WORDS_OF_A_SNIPPET = 2_000_000, 8
"""Maximum number of words in the kept snippets. Each snippet counts as WORDS_OF_A_SNIPPET more
words, for its overhead.
"""
LONGEST_SECONDS = 3.0
"""Seconds after which a search reads no more files."""
MOST = 12
"""Maximum number of snippets that are tried for a prompt, the most similar first."""
UNLIKE = 0.03
"""Similarity, 0 to 1. Only a more similar snippet can appear in a prompt."""
DEADLINE_SECONDS = 0.3
"""Maximum seconds that a prompt waits for snippets. What is read by then serves later prompts."""


class Nearby:
    """An LRU cache of the snippets of files. A changed file is read again. Used by any thread."""

    def __init__(self, clean: Callable[[str, str], str] | None = None) -> None:
        """Starts empty. `clean` gets a file's path and text, and gives the text without secrets.

        `clean` must keep the number of lines.
        """
        self._clean = clean or (lambda _, text: text)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Stamp, list[Snippet], int]] = OrderedDict()
        self._words = 0

    def of(self, known: Known, stamp: Stamp) -> list[Snippet]:
        """Gives a file's snippets, or none if the file can't be read.

        Reads the file if `stamp`, its present stamp, differs from the one in the cache.
        """
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
    """Gives excerpts of other files, of at most `budget` tokens in all, the most similar last.

    Gives none if the search takes more than `seconds`. Files that are not in the index are left
    out: the user may have excluded them, or git may ignore them.
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
    """Ranks snippets, the most similar first. Also gives the stamps of all files looked at.

    Of two overlapping snippets, the more similar one is kept. If they are equally similar, the
    place where the user has paused is kept.
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
