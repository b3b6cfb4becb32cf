"""Notebook cells see the cells before them, and any spelling of a URI finds its document."""

from __future__ import annotations

from typing import Any

import pytest

from bench.support.lsp_client import Client
from tests.support.workspaces import prompt

NOTEBOOK = "file:///project/lesson.ipynb"
LOAD, PLOT = "prices = load()\n", "plot(\n"


def cell(number: int) -> str:
    return f"vscode-notebook-cell:/project/lesson.ipynb#W{number}sZmlsZQ%3D%3D"


def item(number: int, text: str, language: str = "python") -> dict[str, Any]:
    return {"uri": cell(number), "languageId": language, "version": 1, "text": text}


@pytest.fixture
def client(start) -> Client:
    """Starts a server for a client that supports notebooks."""
    client = start()
    found = client.initialize(notebookDocument={"synchronization": {"dynamicRegistration": True}})
    assert found["notebookDocumentSync"]["notebookSelector"] == [{"notebook": "*"}]
    return client


def open_notebook(client: Client, *items: dict[str, Any]) -> None:
    cells = [{"kind": 2, "document": item["uri"]} for item in items]
    notebook = {"uri": NOTEBOOK, "notebookType": "jupyter-notebook", "version": 1, "cells": cells}
    params = {"notebookDocument": notebook, "cellTextDocuments": list(items)}
    client.notify("notebookDocument/didOpen", params)


def change(client: Client, version: int, **cells: Any) -> None:
    notebook = {"uri": NOTEBOOK, "version": version}
    params = {"notebookDocument": notebook, "change": {"cells": cells}}
    client.notify("notebookDocument/didChange", params)


def edit(number: int, version: int, *changes: dict[str, Any]) -> dict[str, Any]:
    return {"document": {"uri": cell(number), "version": version}, "changes": list(changes)}


def test_a_cell_knows_those_before_it_in_its_language(client: Client) -> None:
    open_notebook(
        client,
        item(0, "# A lesson\n", "markdown"),
        item(1, LOAD),
        item(2, "const x = 1\n", "javascript"),
        item(3, "\n"),
        item(4, PLOT),
        item(5, "later = 1\n"),
    )
    told = prompt(client, cell(4), 0, 5)
    assert told.endswith("prices = load()\n\nplot(")
    for other in ("A lesson", "const", "later"):
        assert other not in told
    assert prompt(client, cell(1), 0, 15).endswith("\nprices = load()")
    assert prompt(client, cell(5), 0, 9).endswith(f"{LOAD}\n{PLOT}\nlater = 1")


def test_cells_are_in_the_order_of_the_notebook_and_not_of_their_opening(client: Client) -> None:
    open_notebook(client, item(1, LOAD), item(2, PLOT))
    new = item(3, "import charts\n")
    array = {"start": 1, "deleteCount": 0, "cells": [{"kind": 2, "document": new["uri"]}]}
    change(client, 2, structure={"array": array, "didOpen": [new]})
    assert prompt(client, cell(2), 0, 5).endswith(f"{LOAD}\nimport charts\n\nplot(")
    gone = {"start": 0, "deleteCount": 1}
    change(client, 3, structure={"array": gone, "didClose": [{"uri": cell(1)}]})
    assert prompt(client, cell(2), 0, 5).endswith("import charts\n\nplot(")
    assert "load" not in prompt(client, cell(2), 0, 5)


def test_the_text_of_cells_changes_with_the_notebook(client: Client) -> None:
    open_notebook(client, item(1, LOAD), item(2, PLOT))
    start, end = {"line": 0, "character": 0}, {"line": 0, "character": 6}
    renamed = edit(1, 2, {"range": {"start": start, "end": end}, "text": "costs"})
    change(client, 2, textContent=[renamed, edit(2, 2, {"text": "draw(\n"})])
    assert prompt(client, cell(2), 0, 5).endswith("costs = load()\n\ndraw(")


def test_an_answer_lies_in_the_cell(start) -> None:
    client = start(answers=[{"after": "prices = load()\n\nplot(", "answer": "prices)\n"}])
    client.initialize(notebookDocument={"synchronization": {}})
    open_notebook(client, item(1, LOAD), item(2, PLOT))
    [found] = client.items(client.ask(cell(2), 0, 5))
    place = {"line": 0, "character": 5}
    assert found == {"insertText": "prices)", "range": {"start": place, "end": place}}


def test_a_change_that_can_not_be_read_stops_offers_until_the_notebook_comes_anew(
    client: Client,
) -> None:
    open_notebook(client, item(1, LOAD), item(2, PLOT))
    change(client, 2, textContent=[{"document": {"uri": cell(1)}, "changes": "none"}])
    warning = client.wait_for("window/showMessage")["params"]["message"]
    assert "could not be understood" in warning
    for number in (1, 2):
        assert client.items(client.ask(cell(number), 0, 5, kind=1)) == []
    params = {"notebookDocument": {"uri": NOTEBOOK}, "cellTextDocuments": [{"uri": cell(1)}]}
    client.notify("notebookDocument/didClose", params)
    assert client.items(client.ask(cell(1), 0, 5, kind=1)) == []
    open_notebook(client, item(1, LOAD), item(2, PLOT))
    assert prompt(client, cell(2), 0, 5).endswith(f"{LOAD}\nplot(")


def test_a_structure_that_can_not_be_is_taken_as_far_as_it_goes(client: Client) -> None:
    open_notebook(client, item(1, LOAD), item(2, PLOT))
    nowhere = [{"kind": 2, "document": cell(9)}, {"kind": 2, "document": ""}]
    array = {"start": 2**31 - 1, "deleteCount": 2**31 - 1, "cells": nowhere}
    change(client, 2, structure={"array": array, "didClose": [{"uri": cell(7)}]})
    change(client, 1, data=[{"kind": 1, "document": cell(2)}])
    assert prompt(client, cell(2), 0, 5).endswith(f"{LOAD}\nplot(")
    change(client, 3, structure={"array": {"start": 0, "deleteCount": 2**31 - 1}})
    assert "load" not in prompt(client, cell(2), 0, 5)


def test_a_flood_of_edits_in_cells_is_given_up_and_told(client: Client) -> None:
    open_notebook(client, item(1, LOAD), item(2, PLOT))
    assert prompt(client, cell(2), 0, 5)
    here = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    edits = [edit(2, 2, *[{"range": here, "text": "x"}] * 100) for _ in range(300)]
    change(client, 2, textContent=edits)
    assert "could not be understood" in client.wait_for("window/showMessage")["params"]["message"]
    assert client.items(client.ask(cell(2), 0, 5, kind=1)) == []


def test_cells_that_come_as_documents_are_in_the_order_they_come(ready) -> None:
    """The client does not report notebooks, so the cells' order is the order of opening."""
    client = ready()
    other = "vscode-notebook-cell:/project/other.ipynb#W0sZmlsZQ%3D%3D"
    client.open(other, "unrelated = 1\n")
    client.open(cell(1), LOAD)
    client.open(cell(2), PLOT)
    assert prompt(client, cell(2), 0, 5).endswith(f"{LOAD}\nplot(")
    assert "unrelated" not in prompt(client, cell(2), 0, 5)
    client.notify("textDocument/didClose", {"textDocument": {"uri": cell(1)}})
    assert prompt(client, cell(2), 0, 5).endswith("plot(")
    assert "load" not in prompt(client, cell(2), 0, 5)


def test_files_whose_names_have_a_number_sign_are_no_cells(ready) -> None:
    client = ready()
    client.open("file:///project/a#one.py", LOAD)
    client.open("file:///project/a#two.py", PLOT)
    assert "load" not in prompt(client, "file:///project/a#two.py", 0, 5)


def test_a_long_notebook_is_told_from_its_end(client: Client) -> None:
    cells = [item(n, f"def function_{n}(value):\n    return value\n") for n in range(3000)]
    open_notebook(client, *cells, item(3000, PLOT))
    told = prompt(client, cell(3000), 0, 5)
    assert "def function_2999(" in told and "def function_5(" not in told


SPELLINGS = [
    "file:///project/a%20b/main.py",
    "file:/project/a%20b/main.py",
    "file://localhost/project/a%20b/main.py",
    "FILE://LOCALHOST/project/a%20b/main.py",
    "file:///project/%61%20b/main%2Epy",
    "file:///project/a b/main.py",
    "file:///project/a%20b/./main.py",
    "file:///project//a%20b/x/../main.py",
    "file:///project%2fa%20b%2Fmain.py",
]


@pytest.mark.parametrize("other", SPELLINGS)
def test_a_document_is_known_by_every_spelling(ready, other: str) -> None:
    client = ready()
    client.open(SPELLINGS[0], "def add(a, b):\n    \n")
    assert client.items(client.ask(other, 1, 4))
    client.change(other, 2, (1, 4), (1, 4), "return a + ")
    assert prompt(client, SPELLINGS[0], 1, 15).endswith("    return a + ")
    client.notify("textDocument/didClose", {"textDocument": {"uri": other}})
    assert client.items(client.ask(SPELLINGS[0], 1, 4)) == []


@pytest.mark.parametrize(
    "uri",
    ["file://[", "", "x", "file:", "%", "file:///%00", "untitled:", "://", "#", "a:b:c", "\ud800:"],
)
def test_a_text_that_names_no_file_is_a_document_like_any(ready, uri: str) -> None:
    client = ready()
    client.open(uri, "def add(a, b):\n    \n")
    assert client.items(client.ask(uri, 1, 4))
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert client.items(client.ask(uri, 1, 4)) == []
