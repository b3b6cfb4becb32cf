"""Makes untrusted text safe to show: short, and without invisible characters."""

from __future__ import annotations

import logging
import re
import traceback
import unicodedata
from typing import Any

LONGEST_NAME = 80
LINE_ENDS_AND_TAB = "\t\n\r"
_UNSEEN_KINDS = ("Cc", "Cf", "Cs", "Zl", "Zp")
_UNSEEN_LETTERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]")
_SELECTORS = re.compile("[\ufe00-\ufe0d\U000e0100-\U000e01ef]")
"""Matches variation selectors, except the two that emoji use."""


def is_unseen(character: str) -> bool:
    """Whether a character is invisible, controls the screen, or changes the direction of text.

    Blanks that have a width count as visible.
    """
    if character.isprintable():
        return bool(_UNSEEN_LETTERS.match(character) or _SELECTORS.match(character))
    return unicodedata.category(character) in _UNSEEN_KINDS


def seen(text: str) -> str:
    """Removes invisible characters from a text. Line ends and tabs are kept."""
    if text.isascii() and text.isprintable():
        return text
    kept = (one for one in text if one in LINE_ENDS_AND_TAB or not is_unseen(one))
    return "".join(kept)


def one_line(text: str, most: int = LONGEST_NAME) -> str:
    """Gives the text as one line of at most `most` characters. A shortened line ends in "…"."""
    words = " ".join(seen(text[: 8 * most]).split())
    whole = len(words) <= most and len(text) <= 8 * most
    return words if whole else f"{words[: most - 1]}…"


class Formatter(logging.Formatter):
    """Formats log lines, so that untrusted text in them can't colour, hide or overwrite lines.

    Of an exception, only the place and the type are logged. The message is left out, because it may
    contain code.
    """

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Gives the stack frames and the name of the exception's type."""
        kind, _, frames = ei
        return "".join([*traceback.format_tb(frames), kind.__qualname__])

    def format(self, record: logging.LogRecord) -> str:
        """Formats a log record, and removes invisible characters."""
        return seen(super().format(record))
