"""Checks the first ghost text at new places in real code, at once and after a rest."""

from __future__ import annotations

import time

from bench.quality.sets import Task, from_directory
from bench.speed.editor import Editor, Setup, Shown, empty, evaluated
from bench.speed.places import Spot
from bench.support.statistics import Rows, spread

MASK = "rest-of-line"


def check_holes(setup: Setup) -> Rows:
    """Requests the rest of the line at each gap. Gives times, and the percentage of exact answers.

    The file of each gap has just been opened. In the names of figures, `rested` means that the
    cursor rested at the gap before the request.
    """
    tasks = from_directory(setup.directory, MASK, setup.extent.holes)
    found: Rows = {"holes": len(tasks)}
    with setup.editor(minConfidence=0.0) as editor:
        for name, rest in (("at_once", 0.0), ("rested", setup.extent.hole_rest_seconds)):
            shown = []
            for task in tasks:
                shown.append(_fill(editor, task, name, rest))
                time.sleep(setup.extent.answered_seconds)
            exact = sum(map(_is_exact, tasks, shown))
            found |= {
                f"{name}_exact_percent": round(100 * exact / max(1, len(tasks)), 1),
                f"{name}_line_ms": spread([one.line_ms for one in shown]),
                f"{name}_first_ms": spread([one.first_ms for one in shown]),
                f"{name}_evaluated_tokens": evaluated(shown),
                f"{name}_empty": empty(shown),
            }
    return found


def _fill(editor: Editor, task: Task, name: str, rest: float) -> Shown:
    file = editor.open(f"{name}/{task.id}/{task.path}", task.file.split("\n"))
    before = task.prefix.split("\n")
    spot = Spot(len(before) - 1, len(before[-1].encode("utf-16-le")) // 2)
    if rest:
        editor.look(file, spot)
        time.sleep(rest)
    return editor.ask(file, spot)


def _is_exact(task: Task, shown: Shown) -> bool:
    """Whether the answer's first line equals the task's expected text."""
    return shown.text.split("\n")[0].rstrip() == task.expected.split("\n")[0].rstrip()
