"""Finds what in other files is most like what is being written: people write alike twice.

Looked through are the places where the user has been, and the files nearest to this one, which a
thread reads and cuts into snippets. The measure is Jaccard's index of the words, as in RepoCoder
(https://arxiv.org/abs/2303.12570), where words near the cursor count more.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mistral_lsp.context import scan
from mistral_lsp.context.index import Index
from mistral_lsp.context.recent import Recent
from mistral_lsp.context.related import CountTokens
from mistral_lsp.context.snippets import Snippet, cut, relevance, written
from mistral_lsp.document import Snapshot
from mistral_lsp.types import Excerpt

NEAREST_FILES = 64
KEPT_FILES = 96
"""Files whose snippets are kept, 22 MB of the longest files of Python's own library."""
MOST = 12
"""Snippets that are tried for the room there is."""
UNLIKE = 0.03
"""A snippet that has no more in common says nothing."""
DEADLINE_SECONDS = 0.3
"""What is found later serves the next prompt: the files are read by then."""


class Nearby:
    """The snippets of files that were looked at, as long as these stay as they are."""

    def __init__(self, clean: Callable[[str, str], str] | None = None) -> None:
        """Nothing is read yet. `clean` takes out of a file, its path and its text, what is nobody's
        business; its lines stay.
        """
        self._clean = clean or (lambda _, text: text)
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[int, list[Snippet]]] = OrderedDict()

    def of(self, folder: Path, path: str) -> list[Snippet]:
        """A file's snippets; none where it can't be read. May be called from any thread."""
        full = folder / path
        with self._lock, contextlib.suppress(OSError):
            changed = full.lstat().st_mtime_ns
            known = self._kept.get(full)
            if known is None or known[0] != changed:
                text = scan.read_text(folder, path)
                lines = [] if text is None else self._clean(path, text).splitlines()
                known = changed, cut(path, lines) if lines else []
            self._kept[full] = known
            self._kept.move_to_end(full)
            if len(self._kept) > KEPT_FILES:
                self._kept.popitem(last=False)
            return known[1]
        return []


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
    """Excerpts of other files, at most `budget` tokens in all, the most similar last; nothing where
    looking takes more than so many `seconds`.

    What the index does not know stays out: what the user excludes and what .gitignore names belongs
    into no other file's prompt.
    """
    folders = index.folders()
    if not folders:
        return ()
    counts = written(snapshot, offset)
    visited = [place for place in recent.all() if place.path in folders]
    finding = asyncio.to_thread(_most_similar, snapshot.path, counts, visited, folders, nearby)
    try:
        found = await asyncio.wait_for(finding, seconds)
    except asyncio.TimeoutError:
        return ()
    chosen: list[Excerpt] = []
    for snippet in found:
        excerpt = Excerpt(snippet.path, snippet.text)
        tokens = sum(await count([f"{excerpt.path}\n{excerpt.text}"]))
        if tokens <= budget:
            budget -= tokens
            chosen.append(excerpt)
    return tuple(reversed(chosen))


def _most_similar(
    path: str,
    counts: Mapping[str, float],
    visited: Sequence[Snippet],
    folders: Mapping[str, Path],
    nearby: Nearby,
) -> list[Snippet]:
    """The most similar first; where two overlap, the one that the user has seen, or the better."""
    others = ((scan.distance(other, path), other) for other in folders if other != path)
    near = heapq.nsmallest(NEAREST_FILES, others)
    elsewhere = [place for place in visited if place.path != path]
    for _, other in near:
        elsewhere += nearby.of(folders[other], other)
    ranked = heapq.nlargest(
        MOST * 3,
        ((relevance(counts, snippet), -place) for place, snippet in enumerate(elsewhere)),
    )
    chosen: list[Snippet] = []
    for alike, place in ranked:
        snippet = elsewhere[-place]
        if alike > UNLIKE and not any(snippet.overlaps(other) for other in chosen):
            chosen.append(snippet)
    return chosen[:MOST]
