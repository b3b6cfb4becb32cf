"""The index of the workspace's definitions, searched by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from sys import getsizeof

from mistral_lsp.context.definitions import Defined, FileDefinitions
from mistral_lsp.context.files import Stamp

MOST_BYTES = 64_000_000
"""Maximum bytes of memory, enough for some 160,000 ordinary definitions. A file that does not fit
is left out.
"""
BYTES_OF_A_FILE, BYTES_OF_A_DEFINITION, BYTES_OF_A_NEW_NAME = 800, 120, 350
"""Bytes of memory for a file, a definition and a new name, each without its texts."""
LONGEST_PATH = 300
"""Maximum number of characters of a file's path. A file with a longer path stays out of prompts."""
NAMELESS = frozenset({"__init__", "index", "mod", "main", "lib"})
"""File names, without suffix, that don't occur in imports. Such a file is imported by its folder's
name.
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A file in the index.

    `file` is the absolute path, which identifies the file. `path` is its path below `folder`, a
    workspace folder. Only tests have files without a folder. `size` is the file's share of memory,
    in bytes.
    """

    file: str
    path: str
    folder: Path | None
    definitions: tuple[Defined, ...]
    stamp: Stamp
    size: int = 0

    @property
    def is_told(self) -> bool:
        """Whether the file's path is short enough for a prompt."""
        return len(self.path) <= LONGEST_PATH


class Index:
    """The definitions of many files. Used on the event loop only."""

    def __init__(self) -> None:
        self.on_change: Callable[[Known], None] = lambda known: None
        """Called with each file that has changed since it was read."""
        self._files: dict[str, Known] = {}
        self._folders: dict[str, set[str]] = {}
        self._defining: dict[str, set[str]] = {}
        self._modules: dict[str, set[str]] = {}
        self._size = 0

    def put(self, found: FileDefinitions, folder: Path | None = None) -> None:
        """Replaces the definitions of a file. If the index is full, leaves the file out.

        `found.path` is relative to `folder`.
        """
        file = found.path if folder is None else str(folder / found.path)
        self.drop(file)
        size = self._size_of(found.definitions)
        if self._size + size > MOST_BYTES:
            return
        known = Known(file, found.path, folder, found.definitions, found.stamp, size)
        self._size += size
        self._files[known.file] = known
        self._folders.setdefault(_folder(known.file), set()).add(known.file)
        if not known.is_told:
            return
        self._modules.setdefault(module(known.path), set()).add(known.file)
        for definition in known.definitions:
            self._defining.setdefault(definition.name, set()).add(known.file)

    def _size_of(self, definitions: Sequence[Defined]) -> int:
        """Estimates how many bytes of memory a file with these definitions takes."""
        size = BYTES_OF_A_FILE
        for one in definitions:
            size += sum(map(getsizeof, (one.name, one.text, one.within, *one.within)))
            size += BYTES_OF_A_DEFINITION
        new_names = {one.name for one in definitions if one.name not in self._defining}
        return size + BYTES_OF_A_NEW_NAME * len(new_names)

    def drop(self, file: str) -> None:
        """Removes a file. Does nothing if the file is not in the index."""
        gone = self._files.pop(file, None)
        if gone is None:
            return
        self._size -= gone.size
        _discard(self._folders, _folder(file), file)
        _discard(self._modules, module(gone.path), file)
        for definition in gone.definitions:
            _discard(self._defining, definition.name, file)

    def drop_all(self, paths: Iterable[str]) -> None:
        """Removes the given files, and all files at any depth below the given folders."""
        gone = set(paths)
        for file in gone:
            self.drop(file)
        for folder, files in list(self._folders.items()):
            if not gone.isdisjoint(_with_those_around(folder)):
                for file in list(files):
                    self.drop(file)

    def clear(self) -> None:
        """Removes all files."""
        for file in list(self._files):
            self.drop(file)

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Known]:
        return iter(list(self._files.values()))

    def get(self, file: str) -> Known | None:
        """Gives a file's record, or None if the file is not in the index."""
        return self._files.get(file)

    def of(self, file: str) -> tuple[Defined, ...]:
        """Gives a file's definitions in order. Gives none for a file that is not in the index."""
        known = self._files.get(file)
        return () if known is None else known.definitions

    def defining(self, name: str) -> set[str]:
        """Gives the files that define a name."""
        return self._defining.get(name, set())

    def called(self, names: Iterable[str]) -> set[str]:
        """Gives the files whose module name is one of `names`."""
        return {file for name in names for file in self._modules.get(name, ())}


def module(path: str) -> str:
    """Gives a file's module name: the name by which other files import it."""
    pure = PurePosixPath(path)
    stem = pure.name.partition(".")[0]
    return pure.parent.name if stem in NAMELESS and pure.parent.name else stem


def _folder(file: str) -> str:
    return file.rpartition("/")[0] or "/"


def _with_those_around(folder: str) -> Iterator[str]:
    """Gives a folder and all the folders above it."""
    yield folder
    while folder not in ("/", _folder(folder)):
        folder = _folder(folder)
        yield folder


def _discard(paths: dict[str, set[str]], key: str, path: str) -> None:
    found = paths.get(key)
    if found is not None:
        found.discard(path)
        if not found:
            del paths[key]
