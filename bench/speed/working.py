"""Checks of the work behind the typing: on a busy machine, cancelled, and for nothing."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from bench import checks
from bench.checks import Rows
from bench.latency_report import summarise
from bench.modes import Run, closed_loop, open_cold, replay
from bench.speed.editor import Setup
from bench.speed.spinner import busy_cores
from bench.typist import Document, shipped_places

LINES_IN_A_FILE = 1
KEYS = 24
CANCELS = 40
WASTE_LINES_IN_A_FILE, WASTE_KEYS = 2, 0
"""Whole lines, which come to more than 200 keys."""
ADAPT_SECONDS = 2.0
"""How long the other program has been at it when the typing begins."""


def check_busy(setup: Setup) -> Rows:
    """Lines typed in a closed loop, on a quiet machine and beside a program on all cores."""
    quiet = _typed(setup, nullcontext())
    busy = _typed(setup, busy_cores())
    slower = None
    if quiet["full_ms"]["p50"] and busy["full_ms"]["p50"]:
        slower = round(busy["full_ms"]["p50"] / quiet["full_ms"]["p50"], 2)
    return {"quiet_full_ms": quiet["full_ms"], "busy_full_ms": busy["full_ms"], "ratio": slower}


def _typed(setup: Setup, company: AbstractContextManager[None]) -> Rows:
    """The figures of a closed loop on a server that was started before the company came."""
    subject = setup.subject()
    run = Run(subject.name, "closed")
    subject.start()
    try:
        with company:
            time.sleep(ADAPT_SECONDS)
            for place in shipped_places(LINES_IN_A_FILE):
                document = Document.at(place, KEYS)
                open_cold(subject, document, run)
                closed_loop(subject, document, run)
    finally:
        subject.stop()
    return summarise(run)


def check_cancel(setup: Setup) -> Rows:
    """As the check of the same name: a cancel to the engine doing nothing."""
    arguments = setup.subject().arguments()
    return checks.check_cancel(*arguments, environment=setup.environment, cancels=CANCELS)


def check_waste(setup: Setup) -> Rows:
    """Typing at a person's pace, and accepting: decoded tokens that nobody saw."""
    rows: Rows = {}
    for mode in ("human", "accept"):
        places = shipped_places(WASTE_LINES_IN_A_FILE)
        figures = summarise(replay(setup.subject(), mode, places, WASTE_KEYS, lambda: None))
        kept = ("keystrokes", "decoded_tokens", "wasted_percent")
        rows[mode] = {name: figures[name] for name in kept}
    return rows
