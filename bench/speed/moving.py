"""Checks moves of the cursor: to an earlier place, to a new place, into a newly opened file."""

from __future__ import annotations

import time

from bench.speed.editor import (
    Editor,
    File,
    Setup,
    Shown,
    asked_model,
    empty,
    evaluated,
    first_ms,
    ghosts_ms,
)
from bench.speed.places import (
    Spot,
    cut,
    file_lines,
    half_typed,
    long_lines,
    nearest,
    spread_out,
)
from bench.support.statistics import Rows, spread

WARM_TOKENS = 8
EARLIER_RUN = {"rememberWindows": True}


def check_revisit(setup: Setup) -> Rows:
    """Measures returns to earlier places, during one run of the server and after a restart."""
    rest = setup.extent.rest_seconds
    with setup.editor() as editor:
        lines, here, there = _two_places(0)
        file = editor.open("long.py", cut(lines, [here, there]))
        other_lines, elsewhere, _ = _two_places(1)
        other = editor.open("other.py", cut(other_lines, [elsewhere]))
        editor.visit(file, here, rest)
        within, across = [], []
        for _ in range(setup.extent.returns):
            editor.visit(file, there, rest)
            within.append(editor.visit(file, here, rest))
        for _ in range(setup.extent.returns):
            editor.visit(other, elsewhere, rest)
            across.append(editor.visit(file, here, rest))
    earlier = _revisit_after_restart(setup)
    return {
        "first_ms": first_ms(within + across),
        "first_ms_from_the_same_file": first_ms(within),
        "first_ms_from_another_file": first_ms(across),
        "evaluated_tokens": evaluated(within + across),
        "empty": empty(within + across),
        "asked_model": asked_model(within + across + earlier),
        "earlier_run_first_ms": first_ms(earlier),
        "earlier_run_evaluated_tokens": evaluated(earlier),
    }


def _two_places(which: int) -> tuple[list[str], Spot, Spot]:
    lines = long_lines(which)
    spots = half_typed(lines)
    return lines, nearest(spots, 0.25), nearest(spots, 0.75)


def _revisit_after_restart(setup: Setup) -> list[Shown]:
    """Visits two places before and after a restart of the server. Gives the later answers."""
    lines, here, there = _two_places(0)
    shown: list[Shown] = []
    for restart in range(setup.extent.restarts):
        for is_back in (False, True):
            with setup.editor(**EARLIER_RUN) as editor:
                file = editor.open(f"kept{restart}.py", cut(lines, [here, there]))
                visits = [
                    editor.visit(file, spot, setup.extent.rest_seconds) for spot in (here, there)
                ]
                shown += visits if is_back else []
    return shown


def check_jump(setup: Setup) -> Rows:
    """Measures jumps to new places in a file of 3,000 lines. Each place is in a half-typed line."""
    lines = long_lines(0)
    with setup.editor() as editor:
        file = editor.open("long.py", lines)
        spots = spread_out(half_typed(lines), setup.extent.jumps)
        shown = [_jump(editor, file, spot, setup.extent.rest_seconds) for spot in spots]
    return {
        "jumps": len(shown),
        "empty": empty(shown),
        "first_ghost_text_ms": ghosts_ms(shown),
        "full_ms": spread([one.full_ms for one in shown]),
        "evaluated_tokens": evaluated(shown),
    }


def _jump(editor: Editor, file: File, spot: Spot, rest: float) -> Shown:
    """Cuts off the line at the spot, requests ghost text, rests, and restores the line."""
    end = Spot(spot.line, len(file.lines[spot.line]))
    tail = file.lines[spot.line][spot.column :]
    editor.edit(file, spot, end, "")
    shown = editor.ask(file, spot)
    time.sleep(rest)
    editor.type(file, spot, tail)
    return shown


def check_open(setup: Setup) -> Rows:
    """Checks whether the window is warm at the first keystroke in a file that was just opened."""
    shown = []
    with setup.editor() as editor:
        for name in setup.extent.opened_files:
            lines = file_lines(name)
            spot = nearest(half_typed(lines), 0.6)
            file = editor.open(name, cut(lines, [spot]))
            editor.look(file, spot)
            time.sleep(setup.extent.rest_seconds)
            shown.append(editor.ask(file, editor.type_letter(file, spot)))
    return {
        "files": len(shown),
        "warm": sum(one.asked_model and one.evaluated <= WARM_TOKENS for one in shown),
        "evaluated_tokens": [one.evaluated for one in shown],
        "first_ms": first_ms(shown),
    }
