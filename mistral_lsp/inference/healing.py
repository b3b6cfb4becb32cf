"""Token healing: cuts off the prompt's last word, with which the answer must then begin."""

from __future__ import annotations

import re
from collections.abc import Iterable

HALF = re.compile(r"[\w\s]\Z")
"""Matches a text whose end may be inside a token.

After a bracket or a dot, a new token usually begins. Healing there would waste a decode step.
"""
WITHIN_WORD = re.compile(rb"[\w\x80-\xff]")
LONGEST_OWED = 24
"""The most bytes of a healed word. For more, healing is not worth its decode steps."""


def last_word(backwards: Iterable[bytes]) -> tuple[int, bytes]:
    """Counts the tokens of the last word, and gives the word's bytes.

    Blanks at the end count as a word, together with the line end before them. `backwards` yields
    the tokens' bytes, from the last token to the first.
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
    """Whether `piece` belongs to the same word as the bytes `owed` after it."""
    if not owed.strip():
        return not piece.strip() and b"\n" not in owed
    within = WITHIN_WORD.match(owed) and WITHIN_WORD.match(piece[-1:])
    return bool(within) and len(piece) + len(owed) <= LONGEST_OWED
