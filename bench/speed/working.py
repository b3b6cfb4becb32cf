"""Checks the engine on a busy machine, after a cancel, and for wasted work."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from bench.checks import __main__ as checks
from bench.latency.modes import replay
from bench.latency.report import summarise
from bench.speed.editor import Editor, File, Setup, Shown
from bench.speed.places import Spot, cut, half_typed, long_lines, spread_out
from bench.speed.spinner import busy_cores
from bench.support.statistics import Rows, spread
from bench.support.typist import shipped_places

WASTE_MODES = {"human": (1, 3), "accept": (3, 1)}
"""For each mode: the number of places in a file, and of lines to type at each place.

The mode `accept` types one line only.
"""


def check_busy(setup: Setup) -> Rows:
    """Types lines, awaiting each answer: on an idle machine, and beside a program on all cores."""
    quiet = _line_ms(_typed(setup, nullcontext()))
    busy = _line_ms(_typed(setup, busy_cores()))
    ratio = round(busy["p50"] / quiet["p50"], 2) if quiet["p50"] and busy["p50"] else None
    return {"quiet_line_ms": quiet, "busy_line_ms": busy, "ratio": ratio}


def _line_ms(shown: list[Shown]) -> Rows:
    """Gives the distribution of times to the first line, for non-empty answers from the model.

    The server reports which answers come from its cache. The times alone would not tell, since
    cached answers, too, may be slow on a busy machine.
    """
    return spread([one.line_ms for one in shown if one.text and one.asked_model])


def _typed(setup: Setup, company: AbstractContextManager[None]) -> list[Shown]:
    """Starts a server and types lines, in a `with` block of `company`; gives the answers."""
    lines = long_lines(0)
    shown = []
    with setup.editor() as editor, company:
        time.sleep(setup.extent.adapt_seconds)
        spots = spread_out(half_typed(lines), setup.extent.typed_lines)
        for number, spot in enumerate(spots):
            file = editor.open(f"typed{number}.py", cut(lines, [spot]))
            shown += _type_line(editor, file, spot, lines, setup.extent.answered_seconds)
    return shown


def _type_line(
    editor: Editor, file: File, spot: Spot, lines: list[str], rest: float
) -> list[Shown]:
    """Types the rest of a line; gives the answers.

    The answer to the first request is left out, since it waits until the window is read.
    """
    editor.ask(file, spot)
    time.sleep(rest)
    shown = []
    for character in lines[spot.line][spot.column :]:
        spot = editor.type(file, spot, character)
        shown.append(editor.ask(file, spot))
    return shown


def check_cancel(setup: Setup) -> Rows:
    """Runs the check `cancel` of bench.checks, which measures the time from a cancel to idle."""
    arguments = setup.subject().arguments()
    return checks.check_cancel(
        *arguments, environment=setup.environment, cancels=setup.extent.cancels
    )


def check_waste(setup: Setup) -> Rows:
    """Counts tokens that are decoded but never shown, at a person's pace and while accepting.

    Tokens that are decoded ahead in idle moments count, too.
    """
    rows: Rows = {}
    for mode, (places, lines) in WASTE_MODES.items():
        figures = summarise(replay(setup.subject(), mode, shipped_places(places), 0, lines=lines))
        kept = ("keystrokes", "decoded_tokens", "wasted_percent")
        rows[mode] = {name: figures[name] for name in kept}
    return rows
