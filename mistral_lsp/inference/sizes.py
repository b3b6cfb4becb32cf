"""Computes the sizes of windows from the speed of reading prompts."""

from __future__ import annotations

FIRST_SECONDS = 0.35
SUFFIX_SECONDS = 0.05
COLD_SECONDS = 1.5
SMALLEST_WORKING_WINDOW = 384
SMALLEST_FIRST_WINDOW = 192
SMALLEST_SUFFIX = 64
WINDOW_STEP = 64


def sizes(rate: float, window: int, fixed: bool) -> tuple[int, int]:
    """Gives the `first_window` and the `working_window` of LoadedModel, in tokens.

    At `rate` tokens per second, reading the first takes `FIRST_SECONDS`, and reading the second
    `COLD_SECONDS`. Neither is larger than `window`. With `fixed`, `working_window` is `window`.
    """
    first = _in_steps(rate * FIRST_SECONDS, SMALLEST_FIRST_WINDOW)
    working = window if fixed else _in_steps(rate * COLD_SECONDS, SMALLEST_WORKING_WINDOW)
    return min(first, working, window), min(working, window)


def most_suffix(rate: float) -> int:
    """Gives the most suffix tokens to reread at each keystroke, at `rate` tokens per second."""
    return max(SMALLEST_SUFFIX, int(rate * SUFFIX_SECONDS))


def read_again(suffix: int) -> str:
    """Gives a sentence for the user: each keystroke rereads up to `suffix` tokens of the suffix."""
    return f"At each key it reads up to {suffix} tokens of the suffix again."


def _in_steps(tokens: float, least: int) -> int:
    return max(least, int(tokens) // WINDOW_STEP * WINDOW_STEP)
