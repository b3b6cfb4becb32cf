"""Finds the files that git ignores: by .gitignore, .git/info/exclude, and the user's patterns."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cachetools import LRUCache

from mistral_lsp.context import files
from mistral_lsp.context.git_settings import read_settings, repository
from mistral_lsp.text import globs
from mistral_lsp.text.globs import Glob

LARGEST = 300_000
"""Bytes read of a file of patterns; the rest is left out."""
MOST_GLOBS = 10_000
"""Patterns read of one file; the rest are left out."""
KEPT_GLOBS = 50_000
"""Patterns kept in memory, of all files; some 40 MB at most."""


class Rules(NamedTuple):
    """The patterns of one file; they match paths stripped of their first `depth` names."""

    depth: int
    globs: Sequence[Glob]


class Chain(NamedTuple):
    """The rules in force in a folder; later rules override earlier ones."""

    rules: tuple[Rules, ...] = ()
    ignore_case: bool = False


class Ignored:
    """The files that git ignores in one workspace folder; rules are read at their first use."""

    def __init__(self, root: Path):
        """Looks for the repository's top at `root` and above; without one, `root` is the top."""
        around = (root, *root.parents)
        self._top = next((one for one in around if os.path.lexists(one / ".git")), root)
        self._above = root.relative_to(self._top).parts
        self._chains: dict[tuple[str, ...], Chain] = {}
        self.is_all = any(
            self._ignores(self._above[:depth], True) for depth in range(1, len(self._above) + 1)
        )
        """Whether the root itself is ignored."""

    def ignores(self, path: str, is_folder: bool = False) -> bool:
        """Whether a path below the root is ignored; the folders around it are assumed not to be."""
        return self._ignores((*self._above, *path.split("/")), is_folder)

    def _ignores(self, names: tuple[str, ...], is_folder: bool) -> bool:
        for depth, patterns in reversed(self._chain(names[:-1]).rules):
            verdict = globs.decide(patterns, names[depth:], is_folder)
            if verdict is not None:
                return verdict
        return False

    def _chain(self, names: tuple[str, ...]) -> Chain:
        """Gives the rules in force in a folder; `names` is its path below the top."""
        known = self._chains.get(names)
        if known is None:
            above = self._chain(names[:-1]) if names else Chain()
            known = self._chains[names] = self._lengthened(above, names)
        return known

    def _lengthened(self, above: Chain, names: tuple[str, ...]) -> Chain:
        folder, depth = self._top.joinpath(*names), len(names)
        rules, ignore_case = list(above.rules), above.ignore_case
        own = repository(folder)
        if own is not None or not names:
            settings = read_settings(own)
            ignore_case = settings.ignore_case
            excludes = [*settings.excludes, *([own / "info" / "exclude"] if own else [])]
            rules += [Rules(depth, _read(path, ignore_case, True)) for path in excludes]
        rules.append(Rules(depth, _read(folder / ".gitignore", ignore_case, False)))
        kept = tuple(one for one in rules if one.globs)
        same = len(kept) == len(above.rules) and ignore_case == above.ignore_case
        return above if same else Chain(kept, ignore_case)


# An LRU of the patterns read from files.
_kept: LRUCache[tuple[object, ...], list[Glob]] = LRUCache(KEPT_GLOBS, lambda found: len(found) + 1)
_lock = threading.Lock()


def _read(path: Path, ignore_case: bool, follow: bool) -> list[Glob]:
    """Reads the patterns of a file; none if it is missing, not regular, or an unfollowed link."""
    stamp = files.stamp(path, follow)
    if stamp == files.MISSING:
        return []
    key = (path, stamp, ignore_case)
    with _lock:
        known = _kept.get(key)
    if known is None:
        found = files.read(path, LARGEST, follow)
        data = found[0] if found else b""
        if len(data) > LARGEST:
            data = data[: data.rfind(b"\n") + 1]  # half a pattern would be another pattern
        lines = data.decode("utf-8-sig", "replace").split("\n")
        found_globs = (globs.read(line.removesuffix("\r"), ignore_case) for line in lines)
        known = list(islice(filter(None, found_globs), MOST_GLOBS))
        with _lock:
            _kept[key] = known
    return known
