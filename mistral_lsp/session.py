"""What an editor has open: the only mutable state of the editing side."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from mistral_lsp import languages
from mistral_lsp.config import Settings
from mistral_lsp.document import Document, Snapshot


class Session:
    """What one editor has open. Used on the event loop only; gives frozen snapshots away."""

    def __init__(self, settings: Settings):
        """Nothing is open yet."""
        self.settings = settings
        self.roots: list[Path] = []
        self._documents: dict[str, Document] = {}

    def open(self, uri: str, language_id: str, version: int, text: str) -> None:
        """Opens a document, or opens it anew."""
        path = self.display_path(uri)
        language = languages.find(language_id, path)
        self._documents[uri] = Document(uri, path, language, version, text, language_id)

    def document(self, uri: str) -> Document | None:
        """An open document, or None."""
        return self._documents.get(uri)

    def close(self, uri: str) -> None:
        """Forgets a document; one that is not open is no error."""
        self._documents.pop(uri, None)

    def snapshot(self, uri: str) -> Snapshot | None:
        """The document as it is now, or None where it is not open."""
        document = self._documents.get(uri)
        return document.snapshot() if document else None

    def is_current(self, snapshot: Snapshot) -> bool:
        """Whether the document is still as it was in `snapshot`."""
        document = self._documents.get(snapshot.uri)
        return document is not None and document.is_current(snapshot)

    def root(self, uri: str) -> Path | None:
        """The workspace folder that a document lies in, or None."""
        parts = urlsplit(uri)
        path = Path(unquote(parts.path))
        inside = (root for root in self.roots if path.is_relative_to(root))
        return next(inside, None) if parts.scheme == "file" else None

    def display_path(self, uri: str) -> str:
        """The path of a document below its workspace folder, with "/"; else its bare name."""
        parts = urlsplit(uri)
        if parts.scheme != "file":
            return unquote(parts.path).rpartition("/")[2] or uri
        path = Path(unquote(parts.path))
        for root in self.roots:
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return path.name
