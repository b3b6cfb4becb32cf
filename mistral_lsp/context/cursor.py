"""Reads what is around the cursor: its line, its region, and the open brackets and strings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mistral_lsp.document import Snapshot
from mistral_lsp.languages.base import Language
from mistral_lsp.syntax import nesting
from mistral_lsp.syntax.nesting import Nesting
from mistral_lsp.syntax.trees import Region

FOLLOWING = 4000
"""Number of characters read after the cursor's line, for the filters."""
AROUND = 4000
"""Number of characters read on each side of the cursor, to find how the file is indented."""
INDENTED = re.compile(r"^(\t| +(?=\S))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cursor:
    """What is around the cursor.

    `line_prefix` and `line_suffix` are the cursor's line, before and after the cursor, without the
    line end. `following` is the text after that line, FOLLOWING characters at most.
    `has_open_string`: the cursor is in a string that may span lines and has no closing quote. A
    quote right after the cursor is ignored, since an editor may have inserted it. `indent` is one
    level of the indentation near the cursor. It is "" without any indentation, or if tabs and
    blanks are mixed.
    """

    offset: int
    line_prefix: str
    line_suffix: str
    following: str
    region: Region
    language: Language
    nesting: Nesting
    has_open_string: bool
    indent: str


def read_cursor(snapshot: Snapshot, offset: int) -> Cursor:
    """Gives the `Cursor` at `offset`, which must be within the text."""
    number, column = snapshot.place(offset)
    line = snapshot.line(number)
    line_end = offset + max(0, len(line) - column)
    region = snapshot.tree.region(offset) if snapshot.tree else "code"
    nested = _read_nesting(snapshot, offset, line[:column])
    return Cursor(
        offset=offset,
        line_prefix=line[:column],
        line_suffix=line[column:],
        following=snapshot.text[line_end : line_end + FOLLOWING],
        region=region,
        language=snapshot.language,
        nesting=nested,
        has_open_string=_has_open_string(nested, region, line[column:]),
        indent=_read_indent(snapshot.text[max(0, offset - AROUND) : offset + AROUND]),
    )


def _read_nesting(snapshot: Snapshot, offset: int, line_prefix: str) -> Nesting:
    tells = snapshot.language.string_nodes and len(line_prefix) <= nesting.LONGEST_LOOK
    marks = snapshot.tree.marks(offset) if snapshot.tree and tells else None
    if marks is None:
        return nesting.at_line(snapshot.language, line_prefix)
    return nesting.around(snapshot.language, snapshot.text, marks, offset)


def _has_open_string(nested: Nesting, region: Region, line_suffix: str) -> bool:
    text = nested.text
    if text is None or text.form is None or text.form.is_comment or not text.form.spans_lines:
        return False
    return region != "string" or line_suffix.startswith(text.closer)


def _read_indent(text: str) -> str:
    found = set(INDENTED.findall(text)) - {" "}
    if "\t" in found:
        return "\t" if len(found) == 1 else ""
    return min(found, key=len, default="")
