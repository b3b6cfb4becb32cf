"""How large windows are, which is a matter of how fast prompts are read."""

from __future__ import annotations

FIRST_SECONDS = 0.35
COLD_SECONDS = 1.5
SMALLEST_WORKING_WINDOW = 384
SMALLEST_FIRST_WINDOW = 192
WINDOW_STEP = 64


def sizes(rate: float, window: int, fixed: bool) -> tuple[int, int]:
    """What to read first at a new place, and what to grow to: the tokens that are read at `rate`, a
    second's, in `FIRST_SECONDS` and, unless the user has fixed the window, in `COLD_SECONDS`.
    """
    first = _in_steps(rate * FIRST_SECONDS, SMALLEST_FIRST_WINDOW)
    working = window if fixed else _in_steps(rate * COLD_SECONDS, SMALLEST_WORKING_WINDOW)
    return min(first, working, window), min(working, window)


def _in_steps(tokens: float, least: int) -> int:
    return max(least, int(tokens) // WINDOW_STEP * WINDOW_STEP)
