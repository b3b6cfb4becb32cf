"""The word before the cursor, which is not read but chosen anew with the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

HALF = re.compile(r"[\w \t]\Z")
"""The end of a text that may be half of a piece. Behind a bracket or a dot a new one begins mostly,
and to choose that anew would cost a step.
"""
WITHIN_WORD = re.compile(rb"[\w\x80-\xff]")
LONGEST_OWED = 24
"""Bytes of a word that are chosen anew. More would cost more steps than it is worth."""


def last_word(backwards: Iterable[bytes]) -> tuple[int, bytes]:
    """How many of the last tokens make up the last word, or blanks, and the bytes of these.

    `backwards` gives the bytes of every token, the last one's first.
    """
    owed = b""
    taken = 0
    for piece in backwards:
        goes_on = WITHIN_WORD.match(owed) and WITHIN_WORD.match(piece[-1:])
        if owed and (not goes_on or len(piece) + len(owed) > LONGEST_OWED):
            break
        owed = piece + owed
        taken += 1
    return taken, owed
