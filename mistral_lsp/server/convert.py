"""Turns the protocol's positions into places in our text, and back.

Outside, a column counts UTF-8, UTF-16 or UTF-32 units, as was agreed at the start; inside,
characters.
"""

from __future__ import annotations

from lsprotocol import types

from mistral_lsp.document import Document, Snapshot
from mistral_lsp.types import Span


def column(line: str, units: int, encoding: str) -> int:
    """The character of `line` at which `units` units are passed; past its end, its end."""
    if encoding == types.PositionEncodingKind.Utf32 or line.isascii():
        return min(units, len(line))
    passed = 0
    for place, character in enumerate(line):
        if passed >= units:
            return place
        passed += _units(character, encoding)
    return len(line)


def units(text: str, encoding: str) -> int:
    """How many units `text` has."""
    if encoding == types.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    return sum(_units(character, encoding) for character in text)


def _units(character: str, encoding: str) -> int:
    if encoding == types.PositionEncodingKind.Utf8:
        return len(character.encode("utf-8", "surrogatepass"))
    return 2 if ord(character) > 0xFFFF else 1


def place(document: Document, position: types.Position, encoding: str) -> tuple[int, int]:
    """The line and the character of a position; outside of the text, the nearest place within."""
    line = document.line(position.line)
    return position.line, column(line, position.character, encoding)


def offset(snapshot: Snapshot, position: types.Position, encoding: str) -> int | None:
    """The offset of a position, or None where the text has no such line."""
    if position.line >= snapshot.line_count():
        return None
    line = snapshot.line(position.line)
    return snapshot.offset(position.line, column(line, position.character, encoding))


def to_range(snapshot: Snapshot, span: Span, encoding: str) -> types.Range:
    """A span as a range."""
    return types.Range(
        _position(snapshot, span.start, encoding), _position(snapshot, span.end, encoding)
    )


def _position(snapshot: Snapshot, offset: int, encoding: str) -> types.Position:
    line, characters = snapshot.place(offset)
    return types.Position(line, units(snapshot.line(line)[:characters], encoding))
