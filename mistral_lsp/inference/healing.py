"""Token healing: cuts the last word off the prompt; the answer must begin with that word."""

from __future__ import annotations

import re
from collections.abc import Iterable

HALF = re.compile(r"[\w\s]\Z")
"""Matches a text that may end within a token.

After a bracket or a dot a new token usually begins; healing there would waste a step.
"""
WITHIN_WORD = re.compile(rb"[\w\x80-\xff]")
LONGEST_OWED = 24
"""Most bytes of a healed word. Healing more is not worth the decode steps."""


def last_word(backwards: Iterable[bytes]) -> tuple[int, bytes]:
    """Counts the tokens of the last word, and gives their bytes.

    Trailing blanks, with the line end before them, are also a word. `backwards` yields the tokens'
    bytes, from the last token to the first.
    """
    owed = b""
    taken = 0
    for piece in backwards:
        if owed and not _goes_on(piece, owed):
            break
        owed = piece + owed
        taken += 1
    return taken, owed


def _goes_on(piece: bytes, owed: bytes) -> bool:
    """Whether `piece` and the following `owed` belong to the same word."""
    if not owed.strip():
        return not piece.strip() and b"\n" not in owed
    within = WITHIN_WORD.match(owed) and WITHIN_WORD.match(piece[-1:])
    return bool(within) and len(piece) + len(owed) <= LONGEST_OWED
