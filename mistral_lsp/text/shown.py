"""Makes what others have written fit to be shown: short, and of characters that can be seen."""

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
"""Choose a glyph's variant; all but the two that emoji have."""


def is_unseen(character: str) -> bool:
    """Whether a character controls the screen, changes the direction of text, or can't be seen;
    blanks that take room are seen.
    """
    if character.isprintable():
        return bool(_UNSEEN_LETTERS.match(character) or _SELECTORS.match(character))
    return unicodedata.category(character) in _UNSEEN_KINDS


def seen(text: str) -> str:
    """The text without what can't be seen, but for line ends and tabs."""
    if text.isascii() and text.isprintable():
        return text
    kept = (one for one in text if one in LINE_ENDS_AND_TAB or not is_unseen(one))
    return "".join(kept)


def one_line(text: str, most: int = LONGEST_NAME) -> str:
    """The text as one line of at most so many characters."""
    words = " ".join(seen(text[: 8 * most]).split())
    whole = len(words) <= most and len(text) <= 8 * most
    return words if whole else f"{words[: most - 1]}…"


class Formatter(logging.Formatter):
    """A log's lines, which no name or message of others can colour, hide or overwrite. Of an error
    they tell where it happened and its kind, and not what it says: that may be code.
    """

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """The frames, and the name of the error."""
        kind, _, frames = ei
        return "".join([*traceback.format_tb(frames), kind.__qualname__])

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        return seen(super().format(record))
