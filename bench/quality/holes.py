"""Finds gaps in real code that are fair tasks for a model."""

from __future__ import annotations

import random

from mistral_lsp import languages
from mistral_lsp.document import Document, Snapshot
from mistral_lsp.postprocess.base import opens_block
from mistral_lsp.postprocess.indentation import indentation

MASKS = ("line", "rest-of-line", "block")
SHORTEST_LINE = 8
SHORTEST_REST = 3
LONGEST_BLOCK = 8

Hole = tuple[int, int]
"""A gap, as the offsets of its start and its end."""


def holes(mask: str, path: str, text: str, chance: random.Random) -> list[Hole]:
    """Finds all gaps of a kind (`mask`) in a file, in order.

    A `line` begins after the indentation and goes to the line's end. A `rest-of-line` begins at a
    random column. A `block` begins at the end of the line that opens it and goes to the block's
    end.

    Blocks of more than eight lines are skipped, and so are lines that begin in a comment or a
    string.
    """
    snapshot = Document("", path, languages.find("", path), 0, text).snapshot()
    found = []
    for number in range(len(snapshot.lines)):
        if not _is_code(snapshot, number):
            continue
        if mask == "block":
            hole = _block(snapshot, number)
        else:
            hole = _line(snapshot, number, chance if mask == "rest-of-line" else None)
        if hole is not None:
            found.append(hole)
    return found


def _is_code(snapshot: Snapshot, number: int) -> bool:
    line = snapshot.line(number)
    if len(line.strip()) < SHORTEST_LINE or snapshot.tree is None:
        return False
    # Just after the line's first character: before it, a comment has not begun yet.
    inside = snapshot.starts[number] + len(line) - len(line.lstrip()) + 1
    return snapshot.tree.region(inside) == "code"


def _line(snapshot: Snapshot, number: int, chance: random.Random | None) -> Hole | None:
    line = snapshot.line(number)
    start = len(line) - len(line.lstrip())
    if chance is not None:
        last = len(line.rstrip()) - SHORTEST_REST
        if last <= start:
            return None
        start = chance.randint(start + 1, last)
    offset = snapshot.starts[number]
    return offset + start, offset + len(line)


def _block(snapshot: Snapshot, number: int) -> Hole | None:
    opener = snapshot.line(number)
    if opener != opener.rstrip() or not opens_block(opener, snapshot.language):
        return None
    depth = indentation(opener)
    end = number
    for below in range(number + 1, len(snapshot.lines)):
        line = snapshot.line(below)
        if line.strip() and indentation(line) <= depth:
            break
        if line.strip():
            end = below
    if not 0 < end - number <= LONGEST_BLOCK:
        return None
    return (
        snapshot.starts[number] + len(opener),
        snapshot.starts[end] + len(snapshot.line(end)),
    )
