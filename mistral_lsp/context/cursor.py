"""Reads the place of the cursor: its line, and what the syntax tree says it stands in."""

from __future__ import annotations

from dataclasses import dataclass

from mistral_lsp.document import Snapshot
from mistral_lsp.languages.base import Language
from mistral_lsp.syntax import Region

FOLLOWING = 4000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a text. `line_prefix` and `line_suffix` make its line, without the line end;
    `following` is the text behind that line, from its end on, as much as filters need.
    """

    offset: int
    line_prefix: str
    line_suffix: str
    following: str
    region: Region
    language: Language


def read_cursor(snapshot: Snapshot, offset: int) -> Cursor:
    """What stands at `offset`, which lies within the text."""
    number, column = snapshot.place(offset)
    line = snapshot.line(number)
    line_end = offset + max(0, len(line) - column)
    return Cursor(
        offset=offset,
        line_prefix=line[:column],
        line_suffix=line[column:],
        following=snapshot.text[line_end : line_end + FOLLOWING],
        region=snapshot.tree.region(offset) if snapshot.tree else "code",
        language=snapshot.language,
    )
