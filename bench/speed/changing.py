"""The check of what an edit costs beyond the text that it changes, on a warm window."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.speed.editor import Editor, File, Setup, Shown, work
from bench.speed.places import Spot, cut, half_typed, long_lines, spread_out
from bench.speed.vocabulary import Vocabulary
from bench.support.statistics import Rows

REST_SECONDS = 3.0
"""At a new place, until its window is warm."""
PAUSES = {"rested": 1.0, "hurried": 0.0}
"""Seconds between an answer and the next edit: as a person works, and as only a program does."""
PLACES = 3
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
    for pause in PAUSES:
        with setup.editor() as editor:
            for number, spot in enumerate(spread_out(half_typed(lines), PLACES)):
                file = editor.open(f"edited{number}.py", cut(lines, [spot]))
                editor.ask(file, spot)
                time.sleep(REST_SECONDS)
                for kind, changed, shown, all_work in _replies(editor, file, spot, pause):
                    _note(rows, f"{kind}, {pause}", shown, all_work, count(changed))
    return rows


def _replies(
    editor: Editor, file: File, spot: Spot, pause: str
) -> Iterator[tuple[str, str, Shown, int]]:
    """The edits, the text that each changed, what was shown then, and all tokens evaluated from it
    to the end of the pause behind.
    """
    before = work(editor)["evaluated"]
    for kind, changed, cursor in _steps(editor, file, spot):
        shown = editor.ask(file, cursor)
        time.sleep(PAUSES[pause])
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
