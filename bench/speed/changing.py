"""The check of what an edit costs beyond the text that it changes, on a warm window."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.checks import Rows
from bench.speed.editor import Editor, File, Setup, Shown
from bench.speed.places import Spot, cut, half_typed, long_lines, spread_out
from bench.speed.vocabulary import Vocabulary

REST_SECONDS = 3.0
PLACES = 4
PASTED_LINES = 20
INSERTED_ABOVE = 3
ALLOWED_TOKENS = 16
"""Above those of the changed text: marks, and a token that was cut in two."""

Step = tuple[str, str, Spot]
"""An edit that was just made: its kind, the text that changed, and where the cursor is now."""


def check_edits(setup: Setup) -> Rows:
    """Enter, a paste, its undo, and edits far above: prompt tokens the next request evaluates."""
    count = Vocabulary(setup.model).count
    lines = long_lines(0)
    rows: Rows = {}
    with setup.editor() as editor:
        for number, spot in enumerate(spread_out(half_typed(lines), PLACES)):
            file = editor.open(f"edited{number}.py", cut(lines, [spot]))
            editor.ask(file, spot)
            time.sleep(REST_SECONDS)
            for kind, changed, cursor in _steps(editor, file, spot):
                shown = editor.ask(file, cursor)
                _note(rows, kind, shown, count(changed))
                time.sleep(REST_SECONDS)
    return rows


def _note(rows: Rows, kind: str, shown: Shown, changed: int) -> None:
    fresh = {"evaluated": [], "changed": [], "within": 0, "asked_model": 0}
    row = rows.setdefault(kind, fresh)
    row["evaluated"].append(shown.evaluated)
    row["changed"].append(changed)
    row["within"] += shown.evaluated <= changed + ALLOWED_TOKENS
    row["asked_model"] += shown.asked_model


def _steps(editor: Editor, file: File, spot: Spot) -> Iterator[Step]:
    """Makes the edits, one after another. A letter goes with those that only bring back what was
    there, or change nothing near, so that no earlier answer serves.
    """
    line = file.lines[spot.line]
    enter = "\n" + line[: len(line) - len(line.lstrip())]
    cursor = editor.type(file, spot, enter)
    yield "enter", enter, cursor
    paste = _pasted(file)
    pasted = editor.type(file, cursor, paste)
    yield "paste", paste, pasted
    editor.edit(file, cursor, pasted, "")
    cursor, letter = _letter(editor, file, cursor)
    yield "undo", paste + letter, cursor
    above = "import os\n" * INSERTED_ABOVE
    editor.type(file, Spot(0, 0), above)
    cursor, letter = _letter(editor, file, Spot(cursor.line + INSERTED_ABOVE, cursor.column))
    yield "insert_above", above + letter, cursor
    editor.edit(file, Spot(0, 0), Spot(INSERTED_ABOVE, 0), "")
    cursor, letter = _letter(editor, file, Spot(cursor.line - INSERTED_ABOVE, cursor.column))
    yield "delete_above", above + letter, cursor


def _letter(editor: Editor, file: File, spot: Spot) -> tuple[Spot, str]:
    behind = editor.type_letter(file, spot)
    return behind, file.lines[spot.line][spot.column : behind.column]


def _pasted(file: File) -> str:
    """Lines of the same file that stand far from the cursor, as one would copy them."""
    return "\n".join(file.lines[-PASTED_LINES - 1 : -1]) + "\n"
