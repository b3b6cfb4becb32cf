"""Finds the files of a workspace folder that may appear in the prompts of other files.

Left out are files that git ignores, files that look like secrets, and files behind a symbolic link.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path

from mistral_lsp import languages
from mistral_lsp.context import files
from mistral_lsp.context.files import MISSING, Stamp
from mistral_lsp.context.ignore import Ignored
from mistral_lsp.context.secret_files import is_secret

LARGEST_FILE = 300_000
"""Maximum size of a file in bytes, and of a text in characters. A larger one is left out."""
LONGEST_LINE = 2_000
"""Maximum number of characters of a line. A file with a longer one seems to be generated, and is
left out.
"""
MOST_SEEN = 400_000
"""Maximum number of files and folders that a walk looks at."""
FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__", "vendor"})
"""Names of folders that contain code of third parties. They are left out."""


class Folder:
    """A workspace folder, given by its real path. Ignore rules are read when first needed."""

    def __init__(self, root: Path):
        """Finds the git repository that contains `root`."""
        self._root = root
        self._ignored = Ignored(root)
        self._folders: dict[str, bool] = {}

    def walk(self, near: str = "", below: str = "") -> Iterator[str]:
        """Gives the paths of files that may appear in prompts, those nearest to `near` first.

        The paths are relative to the folder, with "/". With `below`, gives only the files in that
        subfolder. If walks leave out that subfolder, gives none.
        """
        if below and not self.belongs(below, is_folder=True):
            return
        # A folder ranks by the nearest file it may hold, and before files of the same distance.
        left = [] if self._ignored.is_all else [(0, False, below)]
        seen = 0
        while left:
            _, is_file, here = heapq.heappop(left)
            if is_file:
                yield here
                continue
            for name, is_folder in islice(_entries(self._root / here), MOST_SEEN - seen):
                path = f"{here}/{name}" if here else name
                seen += 1
                if self._belongs(path, name, is_folder):
                    nearest = distance(f"{path}/" if is_folder else path, near)
                    on_the_way = is_folder and near.startswith(f"{path}/")
                    heapq.heappush(left, (0 if on_the_way else nearest, not is_folder, path))

    def belongs(self, path: str, is_folder: bool = False) -> bool:
        """Whether a walk would give this file or enter this folder. The path need not exist."""
        names = path.split("/")
        return not self._ignored.is_all and all(
            self._belongs("/".join(names[:length]), name, is_folder or length < len(names))
            for length, name in enumerate(names, 1)
        )

    def look(self, path: str) -> Stamp:
        """Gives the stamp of a file that `walk` would give. For any other path, gives MISSING."""
        full = f"{self._root}/{path}"
        if os.path.realpath(full) != full or not self.belongs(path):
            return MISSING
        return files.stamp(full)

    def _belongs(self, path: str, name: str, is_folder: bool) -> bool:
        """Whether a file or folder belongs, provided that the folders above it do."""
        known = self._folders.get(path) if is_folder else None
        if known is None:
            known = self._is_own(path, name) if is_folder else _is_wanted(f"{self._root}/{path}")
            known = known and _is_spelt(name) and not self._ignored.ignores(path, is_folder)
        if is_folder:
            self._folders[path] = known
        return known

    def _is_own(self, path: str, name: str) -> bool:
        is_foreign = name.startswith(".") or name in FOREIGN
        return not is_foreign and files.stamp(self._root / path / "pyvenv.cfg") == MISSING


def walk(root: Path, near: str = "") -> Iterator[str]:
    """Gives the paths of a folder's files that may appear in prompts, as `Folder.walk` does."""
    return Folder(root).walk(near)


def look(places: Mapping[str, tuple[Path, str]]) -> dict[str, Stamp]:
    """Gives the stamps of files, each given as a workspace folder and a path below it.

    The stamp of a file that a walk leaves out is MISSING.
    """
    folders = {root: Folder(root) for root in {root for root, _ in places.values()}}
    return {file: folders[root].look(path) for file, (root, path) in places.items()}


@lru_cache(maxsize=4_096)
def _is_wanted(file: str) -> bool:
    return is_code(file) and not is_secret(file)


def is_code(path: str) -> bool:
    """Whether a file may have definitions that help in other files, judged by its name."""
    language = languages.find("", path)
    return language.is_code and bool(language.definition_nodes)


def read_text(file: str | Path) -> tuple[str, Stamp] | None:
    """Reads a file's text and stamp.

    Gives None if the file is unreadable or too large, or seems to be generated.
    """
    found = files.read(file, LARGEST_FILE)
    if found is None or len(found[0]) > LARGEST_FILE:
        return None
    try:
        text = found[0].decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return (text, found[1]) if is_written(text) else None


def is_written(text: str) -> bool:
    """Whether a text may have been written by a person.

    A text that is very long, or has a very long line, seems to be generated.
    """
    return len(text) <= LARGEST_FILE and max(map(len, text.split("\n"))) <= LONGEST_LINE


def distance(path: str, near: str) -> int:
    """Counts the steps from one file's folder to the other's, up and down the folder tree."""
    here, there = path.split("/")[:-1], near.split("/")[:-1]
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    return len(here) + len(there) - 2 * common


def _is_spelt(name: str) -> bool:
    """Whether a file name is valid text. On disk, it may consist of any bytes."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """Gives each entry of a folder: its name, and whether it is a folder.

    Symbolic links are left out.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name, True
                elif entry.is_file(follow_symlinks=False):
                    yield entry.name, False
    except OSError:
        return
