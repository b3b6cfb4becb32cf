"""Finds the files that git ignores, by .gitignore, .git/info/exclude and the user's patterns."""

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
"""Maximum number of bytes read of a file of patterns. The rest is not read."""
MOST_GLOBS = 10_000
"""Maximum number of patterns taken from one file. The rest are left out."""
KEPT_GLOBS = 50_000
"""Maximum number of patterns in memory, from all files. They take up to about 40 MB."""


class Rules(NamedTuple):
    """The patterns of one file. They match paths stripped of their first `depth` names."""

    depth: int
    globs: Sequence[Glob]


class Chain(NamedTuple):
    """The rules that apply in a folder. Later rules override earlier ones."""

    rules: tuple[Rules, ...] = ()
    ignore_case: bool = False


class Ignored:
    """The files that git ignores in one workspace folder. Rules are read when first needed."""

    def __init__(self, root: Path):
        """Finds the repository's top folder: `root`, or a folder above it.

        Without a repository, `root` counts as the top folder.
        """
        around = (root, *root.parents)
        self._top = next((one for one in around if os.path.lexists(one / ".git")), root)
        self._above = root.relative_to(self._top).parts
        self._chains: dict[tuple[str, ...], Chain] = {}
        self.is_all = any(
            self._ignores(self._above[:depth], True) for depth in range(1, len(self._above) + 1)
        )
        """Whether git ignores the root itself."""

    def ignores(self, path: str, is_folder: bool = False) -> bool:
        """Whether git ignores a path below the root.

        Assumes that git ignores no folder between the root and the path.
        """
        return self._ignores((*self._above, *path.split("/")), is_folder)

    def _ignores(self, names: tuple[str, ...], is_folder: bool) -> bool:
        for depth, patterns in reversed(self._chain(names[:-1]).rules):
            verdict = globs.decide(patterns, names[depth:], is_folder)
            if verdict is not None:
                return verdict
        return False

    def _chain(self, names: tuple[str, ...]) -> Chain:
        """Gives the rules for a folder. `names` is the folder's path below the repository's top."""
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
    """Reads the patterns in a file.

    Gives none if the file is missing or not regular, or is a symbolic link and `follow` is not set.
    """
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
