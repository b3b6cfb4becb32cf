"""The word before the cursor, which is not read but chosen anew with the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

HALF = re.compile(r"[\w\s]\Z")
"""The end of a text that may be half of a piece. Behind a bracket or a dot a new one begins mostly,
and to choose that anew would cost a step.
"""
WITHIN_WORD = re.compile(rb"[\w\x80-\xff]")
LONGEST_OWED = 24
"""Bytes of a word that are chosen anew. More would cost more steps than it is worth."""


def last_word(backwards: Iterable[bytes]) -> tuple[int, bytes]:
    """How many of the last tokens make up the last word, or the blanks there with the line end that
    they follow, and the bytes of these.

    `backwards` gives the bytes of every token, the last one's first.
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
    """Whether what is owed goes on to the front in a piece."""
    if not owed.strip():
        return not piece.strip() and b"\n" not in owed
    within = WITHIN_WORD.match(owed) and WITHIN_WORD.match(piece[-1:])
    return bool(within) and len(piece) + len(owed) <= LONGEST_OWED
