"""Converts LSP positions to places in the text, and back.

The columns of LSP count units of UTF-8, UTF-16 or UTF-32, as client and server have agreed. Columns
of places count characters.
"""

from __future__ import annotations

from itertools import accumulate, takewhile

from lsprotocol import types

from mistral_lsp.document import HALF, Document, Snapshot
from mistral_lsp.types import Span

CONTINUATIONS = bytes(range(0x80, 0xC0))
"""All continuation bytes of UTF-8."""


def column(line: str, units: int, encoding: str) -> int:
    """Counts the characters in the first `units` units of a line, the last even if incomplete."""
    if encoding == types.PositionEncodingKind.Utf32 or line.isascii():
        return min(units, len(line))
    if encoding == types.PositionEncodingKind.Utf8:
        data = line.encode("utf-8", "surrogatepass")[:units]
        return len(data.translate(None, CONTINUATIONS))
    if HALF.search(line):  # decoding would join two halves
        ends = accumulate(1 + (character > "\uffff") for character in line)
        passed = sum(1 for _ in takewhile(lambda end: end < units, ends))
        return min(len(line), passed + 1) if units else 0
    halves = line.encode("utf-16-le")[: 2 * units]
    return len(halves.decode("utf-16-le", "surrogatepass"))


def units(text: str, encoding: str) -> int:
    """Counts the units of `text` in an encoding."""
    if encoding == types.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    if encoding == types.PositionEncodingKind.Utf8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def place(document: Document, position: types.Position, encoding: str) -> tuple[int, int]:
    """Gives the line and the column in characters of an LSP position, for an edit.

    A column beyond the line's end becomes that end. If the position is between the two UTF-16 units
    of a character, the character is split.
    """
    line = document.line(position.line)
    passed = column(line, position.character, encoding)
    is_pair = encoding == types.PositionEncodingKind.Utf16 and line[passed - 1 : passed] > "\uffff"
    if is_pair and units(line[:passed], encoding) > position.character:
        document.split_character(position.line, passed - 1)
    return position.line, passed


def offset(snapshot: Snapshot, position: types.Position, encoding: str) -> int | None:
    """Gives the offset of an LSP position, or None if the text has no such line."""
    if position.line >= snapshot.line_count():
        return None
    line = snapshot.line(position.line)
    return snapshot.offset(position.line, column(line, position.character, encoding))


def to_range(snapshot: Snapshot, span: Span, encoding: str) -> types.Range:
    """Converts a span to an LSP range."""
    return types.Range(
        _position(snapshot, span.start, encoding), _position(snapshot, span.end, encoding)
    )


def _position(snapshot: Snapshot, offset: int, encoding: str) -> types.Position:
    line, characters = snapshot.place(offset)
    return types.Position(line, units(snapshot.line(line)[:characters], encoding))
