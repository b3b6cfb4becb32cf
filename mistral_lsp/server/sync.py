"""Keeps the session's documents as the client has them. In order, at once, in microseconds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from mistral_lsp.server import convert
from mistral_lsp.session import Session

logger = logging.getLogger(__name__)


def open_document(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """textDocument/didOpen."""
    item = params.text_document
    session.open(item.uri, item.language_id, item.version, item.text)


def close_document(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """textDocument/didClose."""
    session.close(params.text_document.uri)


def change_document(
    session: Session, params: types.DidChangeTextDocumentParams, encoding: str
) -> str | None:
    """textDocument/didChange; gives what was wrong with it, if anything."""
    return change_text(session, params.text_document, params.content_changes, encoding)


def change_text(
    session: Session,
    changed: types.VersionedTextDocumentIdentifier,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: str,
) -> str | None:
    """Changes a document; gives what was wrong, if anything.

    A change for an older version is left out: from there on our text may not be the client's, so
    nothing is offered until the whole text comes anew.
    """
    uri, version = changed.uri, changed.version
    document = session.document(uri)
    if document is None:
        return f"A change came for {uri}, which is not open."
    whole = types.TextDocumentContentChangeWholeDocument
    if version < document.version and not any(isinstance(change, whole) for change in changes):
        reason = f"a change for version {version} came after version {document.version}"
        document.lose_sync(f"{reason}; close the file and open it again")
        return f"{uri}: {reason}."
    for change in changes:
        if isinstance(change, whole):
            document.set_text(change.text)
        else:
            start = convert.place(document, change.range.start, encoding)
            end = convert.place(document, change.range.end, encoding)
            document.replace(start, end, change.text)
    document.version = version
    return None


def lose_change(session: Session, params: Any) -> str | None:
    """Takes in that a change could not be understood, of a document or of a notebook; gives what to
    tell the user, if anything.
    """
    found = params if isinstance(params, dict) else {}
    items = (found.get("textDocument"), found.get("notebookDocument"))
    uri, notebook = (item.get("uri") if isinstance(item, dict) else None for item in items)
    cells = session.cells(notebook) if isinstance(notebook, str) else []
    named = [*cells, *([uri] if isinstance(uri, str) else [])]
    documents = [document for name in named if (document := session.document(name))]
    reason = "a change could not be understood"
    for document in documents:
        document.lose_sync(f"{reason}; close the file and open it again")
    return f"{uri or notebook}: {reason}." if documents else None
