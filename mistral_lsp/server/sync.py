"""Handles the client's messages about documents, and updates the session accordingly.

Each message takes microseconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from mistral_lsp.document import Document
from mistral_lsp.server import convert
from mistral_lsp.workspace.session import Session

logger = logging.getLogger(__name__)

LONGEST_CHANGE_SECONDS = 0.5
"""Maximum seconds of processor time for the edits of one message. Thousands of edits in a long line
would take minutes.
"""


def open_document(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """Handles textDocument/didOpen."""
    item = params.text_document
    session.open(item.uri, item.language_id, item.version, item.text)


def close_document(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """Handles textDocument/didClose."""
    session.close(params.text_document.uri)


def change_document(
    session: Session, params: types.DidChangeTextDocumentParams, encoding: str
) -> str | None:
    """Handles textDocument/didChange. Gives a sentence about a problem, or None."""
    end = time.thread_time() + LONGEST_CHANGE_SECONDS
    return change_text(session, params.text_document, params.content_changes, encoding, end)


def change_text(
    session: Session,
    changed: types.VersionedTextDocumentIdentifier,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: str,
    end: float,
) -> str | None:
    """Changes a document. Gives a sentence about a problem, or None.

    Edits are refused after `end`, in seconds of the thread's processor time. A change for an older
    version is refused, too. Our text may then differ from the client's, so nothing is offered until
    the whole text comes again.
    """
    uri, version = changed.uri, changed.version
    document = session.document(uri)
    if document is None:
        return f"A change came for {uri}, which is not open."
    if version < document.version and not any(map(_is_whole, changes)):
        return _lose(document, f"a change for version {version} came after {document.version}")
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            document.set_text(change.text)
        elif time.thread_time() > end:
            return _lose(document, "a change was too large to be followed")
        else:
            first = convert.place(document, change.range.start, encoding)
            last = convert.place(document, change.range.end, encoding)
            document.replace(first, last, change.text)
    document.version = version
    return None


def _is_whole(change: types.TextDocumentContentChangeEvent) -> bool:
    return isinstance(change, types.TextDocumentContentChangeWholeDocument)


def _lose(document: Document, reason: str) -> str:
    document.lose_sync(f"{reason}; close the file and open it again")
    return f"{document.uri}: {reason}."


def lose_change(session: Session, params: Any) -> str | None:
    """Marks documents as out of sync after an unreadable change.

    Gives a sentence about the problem, or None if no open document is concerned.
    """
    found = params if isinstance(params, dict) else {}
    items = (found.get("textDocument"), found.get("notebookDocument"))
    uri, notebook = (item.get("uri") if isinstance(item, dict) else None for item in items)
    documents = session.cells(notebook) if isinstance(notebook, str) else []
    document = session.document(uri) if isinstance(uri, str) else None
    documents += [document] if document else []
    problems = [_lose(document, "a change could not be understood") for document in documents]
    return problems[0] if problems else None
