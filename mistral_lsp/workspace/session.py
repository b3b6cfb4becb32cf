"""The open documents and the settings of one editor."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mistral_lsp import languages
from mistral_lsp.config import Settings
from mistral_lsp.document import Document, Snapshot
from mistral_lsp.text import uris
from mistral_lsp.text.uris import Uri

LONGEST_BEFORE = 50_000
"""Maximum number of characters taken from a notebook's earlier cells. No window has room for more.
"""


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of the workspace: the path `given` by the client, and its `real` path.

    `real` is "" for a folder that is not on this machine.
    """

    given: str
    real: str


class Session:
    """The open documents and the settings of one editor. Used on the event loop only."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self._roots: tuple[Root, ...] = ()
        self._documents: dict[Uri, Document] = {}
        self._notebooks: dict[Uri, list[Uri]] = {}
        self._hears_of_notebooks = False

    # Documents

    def open(self, uri: str, language_id: str, version: int, text: str) -> None:
        """Opens a document. Replaces it if it is open already."""
        path, file, names = self._place(uri)
        language = languages.find(language_id, path)
        document = Document(uri, path, language, version, text, file, names, language_id)
        self._documents[uris.parse(uri)] = document

    def document(self, uri: str) -> Document | None:
        """Gives an open document, or None if it is not open."""
        return self._documents.get(uris.parse(uri))

    def close(self, uri: str) -> None:
        """Closes a document. Does nothing if it is not open."""
        self._documents.pop(uris.parse(uri), None)

    def snapshot(self, uri: str) -> Snapshot | None:
        """Gives the document as it is now, or None if it is not open."""
        document = self.document(uri)
        return document.snapshot() if document else None

    def is_current(self, snapshot: Snapshot) -> bool:
        """Whether the document is unchanged since `snapshot`."""
        document = self.document(snapshot.uri)
        return document is not None and document.is_current(snapshot)

    # Notebooks

    def arrange(self, notebook: str, cells: Sequence[str], first: int = 0, count: int = -1) -> None:
        """Replaces `count` cells of a notebook, starting at `first`. -1 means all from there on."""
        self._hears_of_notebooks = True
        order = self._notebooks.setdefault(uris.parse(notebook), [])
        order[first : first + count if count >= 0 else None] = map(uris.parse, cells)

    def close_notebook(self, notebook: str) -> None:
        """Closes a notebook and its cells."""
        for cell in self._notebooks.pop(uris.parse(notebook), []):
            self._documents.pop(cell, None)

    def cells(self, notebook: str) -> list[Document]:
        """Lists the open cells of a notebook, in order."""
        found = map(self._documents.get, self._notebooks.get(uris.parse(notebook), []))
        return [document for document in found if document is not None]

    def before(self, uri: str) -> str:
        """Gives the text of the notebook's earlier cells, but only those in the same language."""
        own = self.document(uri)
        texts: list[str] = []
        left = LONGEST_BEFORE
        for earlier in reversed(self._cells_before(uris.parse(uri))):
            document = self._documents.get(earlier)
            if own is None or document is None or document.language is not own.language:
                continue
            text = document.snapshot().text.rstrip()
            if text:
                texts.append(f"{text}\n\n")
                left -= len(texts[-1])
            if left <= 0:
                break
        return "".join(reversed(texts))[-LONGEST_BEFORE:]

    def _cells_before(self, cell: Uri) -> list[Uri]:
        """Lists the earlier cells of the cell's notebook.

        Some clients send no notebook messages. They open the cells in order, and a cell's URI is
        the notebook's with a fragment.
        """
        for order in self._notebooks.values():
            if cell in order:
                return order[: order.index(cell)]
        if self._hears_of_notebooks or not cell.fragment or cell.scheme == "file":
            return []
        order = [other for other in self._documents if other[:4] == cell[:4] and other.fragment]
        return order[: order.index(cell)] if cell in order else []

    # Folders

    def set_roots(self, given: Iterable[str]) -> None:
        """Sets the workspace folders, given by their URIs. Updates the paths of open documents."""
        parsed = [uris.parse(uri) for uri in given]
        self._roots = tuple(Root(uri.path, _real(uri.file)) for uri in parsed if uri.path)
        for document in self._documents.values():
            document.relocate(*self._place(document.uri))

    @property
    def roots(self) -> list[Path]:
        """The workspace folders that are on this machine, each once."""
        return [Path(real) for real in dict.fromkeys(root.real for root in self._roots) if real]

    def file(self, uri: str) -> str:
        """Gives the real path of a document, or "" if it is not a file on this machine."""
        return _real(uris.parse(uri).file)

    def locate(self, file: str) -> tuple[Path, str] | None:
        """Gives the innermost workspace folder around a file, and the file's path below it.

        `file` is the real path, or a path below the folder's path as the client gave it. Gives None
        for a file outside the workspace.
        """
        inside = [
            (len(root.real), root.real, below)
            for root in self._roots
            for folder in (root.real, root.given)
            if root.real and (below := _below(folder, file))
        ]
        if not inside:
            return None
        _, folder, path = max(inside)
        return Path(folder), path

    def names(self, *paths: str) -> tuple[str, ...]:
        """Gives a file's paths below the workspace folders around it, innermost folder first.

        `paths` are different paths of the same file. For a file outside the workspace, gives its
        bare name and its whole path.
        """
        found = [
            (-len(root.real or root.given), below)
            for root in self._roots
            for folder in (root.given, root.real)
            for path in paths
            if (below := _below(folder, path))
        ]
        found.sort(key=lambda one: one[0])
        inside = dict.fromkeys(below for _, below in found)
        outside = (name for path in paths for name in (path.rpartition("/")[2], path.lstrip("/")))
        return tuple(inside or dict.fromkeys(filter(None, outside)))

    def _place(self, uri: str) -> tuple[str, str, tuple[str, ...]]:
        """Gives the path to show for a document, its real path, and its `names`."""
        parsed = uris.parse(uri)
        real = _real(parsed.file)
        paths = dict.fromkeys((parsed.path, real or _real(parsed.path)))
        names = self.names(*filter(None, paths)) or (uri,)
        return names[0], real, names


def _real(path: str) -> str:
    """Gives the real path of an absolute path, and "" for any other text."""
    try:
        return os.path.realpath(path) if path.startswith("/") and "\0" not in path else ""
    except (OSError, ValueError, RecursionError):
        return path  # too many links for any system to follow


def _below(folder: str, path: str) -> str:
    """Gives `path` relative to a folder, or "" if it is not inside the folder."""
    start = folder.rstrip("/") + "/"
    return path[len(start) :] if folder and path.startswith(start) else ""
