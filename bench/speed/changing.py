"""Checks how many prompt tokens are evaluated after edits, besides those of the changed text.

The window is warm.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.speed.editor import Editor, File, Setup, Shown, work
from bench.speed.places import Spot, cut, half_typed, long_lines, spread_out
from bench.speed.vocabulary import Vocabulary
from bench.support.statistics import Rows

PASTED_LINES = 20
INSERTED_ABOVE = 3
ALLOWED_TOKENS = 16
"""Tokens allowed besides those of the changed text: for marks, and a token split by the edit."""

Step = tuple[str, str, Spot]
"""An edit: its kind, the changed text, and the place of the cursor after it."""


def check_edits(setup: Setup) -> Rows:
    """Counts the prompt tokens evaluated after Enter, a paste, its undo, and edits far above."""
    count = Vocabulary(setup.model).count
    lines = long_lines(0)
    rows: Rows = {}
    for pause, seconds in setup.extent.edit_pauses.items():
        with setup.editor() as editor:
            for number, spot in enumerate(
                spread_out(half_typed(lines), setup.extent.edited_places)
            ):
                file = editor.open(f"edited{number}.py", cut(lines, [spot]))
                editor.ask(file, spot)
                time.sleep(setup.extent.rest_seconds)
                for kind, changed, shown, all_work in _replies(editor, file, spot, seconds):
                    _note(rows, f"{kind}, {pause}", shown, all_work, count(changed))
    return rows


def _replies(
    editor: Editor, file: File, spot: Spot, pause: float
) -> Iterator[tuple[str, str, Shown, int]]:
    """Makes the edits; yields each edit's kind, changed text and shown answer.

    Also yields the number of tokens evaluated from the edit to the end of the pause after it.
    """
    before = work(editor)["evaluated"]
    for kind, changed, cursor in _steps(editor, file, spot):
        shown = editor.ask(file, cursor)
        time.sleep(pause)
        now = work(editor)["evaluated"]
        yield kind, changed, shown, now - before
        before = now


def _note(rows: Rows, kind: str, shown: Shown, all_work: int, changed: int) -> None:
    fresh = {"evaluated": [], "all_work": [], "changed": [], "within": 0, "asked_model": 0}
    row = rows.setdefault(kind, fresh)
    row["evaluated"].append(shown.evaluated)
    row["all_work"].append(all_work)
    row["changed"].append(changed)
    row["within"] += shown.evaluated <= changed + ALLOWED_TOKENS
    row["asked_model"] += shown.asked_model


def _steps(editor: Editor, file: File, spot: Spot) -> Iterator[Step]:
    """Makes the edits, one after another.

    An edit that only restores earlier text, or is far from the cursor, is followed by a typed
    letter, so that no cached answer fits.
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
    """Gives lines from the end of the file, to be pasted at the cursor."""
    return "\n".join(file.lines[-PASTED_LINES - 1 : -1]) + "\n"
