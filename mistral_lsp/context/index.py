"""What the files of the workspace define, found by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mistral_lsp.context.definitions import Defined, FileDefinitions

MOST_DEFINITIONS = 150_000
"""Some 50 MB. What comes later is left out."""
NAMELESS = frozenset({"__init__", "index", "mod", "main", "lib"})
"""Files that others call by the name of their folder."""


class Index:
    """The definitions of many files. Used on the event loop only."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._files: dict[str, tuple[Defined, ...]] = {}
        self._folders: dict[str, Path] = {}
        self._defining: dict[str, set[str]] = {}
        self._modules: dict[str, set[str]] = {}
        self._size = 0

    def put(self, found: FileDefinitions, folder: Path | None = None) -> None:
        """Takes in a file below `folder`, in place of what it defined before."""
        self.drop(found.path)
        if self._size + len(found.definitions) > MOST_DEFINITIONS:
            return
        self._size += len(found.definitions)
        self._files[found.path] = found.definitions
        if folder is not None:
            self._folders[found.path] = folder
        self._modules.setdefault(module(found.path), set()).add(found.path)
        for definition in found.definitions:
            self._defining.setdefault(definition.name, set()).add(found.path)

    def drop(self, path: str) -> None:
        """Forgets a file; one that is not known is no error."""
        gone = self._files.pop(path, ())
        self._folders.pop(path, None)
        self._size -= len(gone)
        _discard(self._modules, module(path), path)
        for definition in gone:
            _discard(self._defining, definition.name, path)

    def clear(self) -> None:
        """Forgets everything."""
        for path in list(self._files):
            self.drop(path)

    def __len__(self) -> int:
        """How many files are known."""
        return len(self._files)

    def folders(self) -> dict[str, Path]:
        """The known files that lie in folders, and those folders, which their paths start from."""
        return dict(self._folders)

    def of(self, path: str) -> tuple[Defined, ...]:
        """What a file defines, in order."""
        return self._files.get(path, ())

    def defining(self, name: str) -> set[str]:
        """The files that define a name."""
        return self._defining.get(name, set())

    def called(self, names: Iterable[str]) -> set[str]:
        """The files that other files call by one of these names, as they do to import them."""
        return {path for name in names for path in self._modules.get(name, ())}


def module(path: str) -> str:
    """What other files call a file when they import it."""
    pure = PurePosixPath(path)
    stem = pure.name.partition(".")[0]
    return pure.parent.name if stem in NAMELESS and pure.parent.name else stem


def _discard(paths: dict[str, set[str]], key: str, path: str) -> None:
    found = paths.get(key)
    if found is not None:
        found.discard(path)
        if not found:
            del paths[key]
