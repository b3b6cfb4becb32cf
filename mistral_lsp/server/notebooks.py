"""Handles the client's messages about notebooks, and updates the session accordingly."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lsprotocol import types

from mistral_lsp.server.sync import LONGEST_CHANGE_SECONDS, change_text
from mistral_lsp.workspace.session import Session

SYNC = types.NotebookDocumentSyncOptions([types.NotebookDocumentFilterWithNotebook(notebook="*")])
"""Asks clients to report all cells of all notebooks. Otherwise they don't send the order of the
cells.
"""


def open_notebook(session: Session, params: types.DidOpenNotebookDocumentParams) -> None:
    """Handles notebookDocument/didOpen."""
    notebook = params.notebook_document
    _open_cells(session, params.cell_text_documents)
    session.arrange(notebook.uri, [cell.document for cell in notebook.cells])


def change_notebook(
    session: Session, params: types.DidChangeNotebookDocumentParams, encoding: str
) -> list[str]:
    """Handles notebookDocument/didChange. Gives one sentence about each problem."""
    cells = params.change.cells
    if cells is None:
        return []
    if cells.structure is not None:
        _change_structure(session, params.notebook_document.uri, cells.structure)
    end = time.thread_time() + LONGEST_CHANGE_SECONDS
    problems = [
        change_text(session, changed.document, changed.changes, encoding, end)
        for changed in cells.text_content or []
    ]
    return list(filter(None, problems))


def close_notebook(session: Session, params: types.DidCloseNotebookDocumentParams) -> None:
    """Handles notebookDocument/didClose."""
    session.close_notebook(params.notebook_document.uri)
    for cell in params.cell_text_documents:
        session.close(cell.uri)


def _change_structure(
    session: Session, notebook: str, change: types.NotebookDocumentCellChangeStructure
) -> None:
    for closed in change.did_close or []:
        session.close(closed.uri)
    _open_cells(session, change.did_open or [])
    array = change.array
    cells = [cell.document for cell in array.cells or []]
    session.arrange(notebook, cells, array.start, array.delete_count)


def _open_cells(session: Session, cells: Iterable[types.TextDocumentItem]) -> None:
    for cell in cells:
        session.open(cell.uri, cell.language_id, cell.version, cell.text)
