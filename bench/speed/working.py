"""Checks of the work behind the typing: on a busy machine, cancelled, drafted, and for nothing."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from bench.checks import __main__ as checks
from bench.latency.modes import replay
from bench.latency.report import summarise
from bench.speed.editor import Editor, Setup, Shown
from bench.speed.places import Spot, cut, half_typed, long_lines, spread_out
from bench.speed.spinner import busy_cores
from bench.support.statistics import Rows, spread
from bench.support.typist import shipped_places

TYPED_LINES = 16
CANCELS = 40
WASTE_MODES = {"human": (1, 3), "accept": (3, 1)}
"""Places in a file, and lines typed at each; accepting is replayed within a line."""
ADAPT_SECONDS = 2.0
"""How long the other program has been at it when the typing begins."""
REST_SECONDS = 1.0


def check_busy(setup: Setup) -> Rows:
    """Lines typed in a closed loop, on a quiet machine and beside a program on all cores."""
    quiet = _line_ms(_typed(setup, nullcontext()))
    busy = _line_ms(_typed(setup, busy_cores()))
    ratio = round(busy["p50"] / quiet["p50"], 2) if quiet["p50"] and busy["p50"] else None
    return {"quiet_line_ms": quiet, "busy_line_ms": busy, "ratio": ratio}


def _line_ms(shown: list[Shown]) -> Rows:
    """Times to the first line of what the model had to be asked for. The server tells which: on a
    busy machine an answer from its cache may be slow, too.
    """
    return spread([one.line_ms for one in shown if one.text and one.asked_model])


def _typed(setup: Setup, company: AbstractContextManager[None]) -> list[Shown]:
    """Ghost text while lines are typed on a server that was started before the company came."""
    lines = long_lines(0)
    shown = []
    with setup.editor() as editor, company:
        time.sleep(ADAPT_SECONDS)
        for number, spot in enumerate(spread_out(half_typed(lines), TYPED_LINES)):
            shown += _type_line(editor, f"typed{number}.py", lines, spot)
    return shown


def _type_line(editor: Editor, name: str, lines: list[str], spot: Spot) -> list[Shown]:
    """Types the rest of a line; the first request, which reads the window, is left out."""
    file = editor.open(name, cut(lines, [spot]))
    editor.ask(file, spot)
    time.sleep(REST_SECONDS)
    shown = []
    for character in lines[spot.line][spot.column :]:
        spot = editor.type(file, spot, character)
        shown.append(editor.ask(file, spot))
    return shown


def check_cancel(setup: Setup) -> Rows:
    """As the check of the same name: a cancel to the engine doing nothing."""
    arguments = setup.subject().arguments()
    return checks.check_cancel(*arguments, environment=setup.environment, cancels=CANCELS)


def check_waste(setup: Setup) -> Rows:
    """Typing at a person's pace with its pauses, and accepting: decoded tokens that nobody saw.

    Those that were decoded ahead, in idle moments, are among them.
    """
    rows: Rows = {}
    for mode, (places, lines) in WASTE_MODES.items():
        figures = summarise(replay(setup.subject(), mode, shipped_places(places), 0, lines=lines))
        kept = ("keystrokes", "decoded_tokens", "wasted_percent")
        rows[mode] = {name: figures[name] for name in kept}
    return rows
