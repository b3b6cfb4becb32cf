"""Measures indentation, and changes the indentation of an answer to that of its file."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, opens_block

USUAL_WIDTH = 4
"""Number of blanks per level, if the answer does not show how many it uses."""
WIDTHS = (2, 3, 4, 8)
"""Numbers of blanks per level that models use."""


def indentation(line: str) -> int:
    """Gives a line's indentation in columns. A tab goes to the next multiple of eight."""
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def reindented(text: str, situation: Situation) -> str:
    """Indents a text as its file is indented, by tabs or by blanks.

    Models mix up tabs and blanks. If `text` continues a line of the file, the first line of `text`
    is not changed.
    """
    lines = text.split("\n")
    begun = 1 if situation.line_prefix.strip() else 0
    if situation.indent == "\t":
        width = _level_width(lines[begun:], situation)
        changed = [_with_tabs(line, width) for line in lines[begun:]]
    elif situation.indent:
        changed = [_with_blanks(line, situation.indent) for line in lines[begun:]]
    else:
        return text
    return "\n".join([*lines[:begun], *changed])


def _level_width(lines: list[str], situation: Situation) -> int:
    """Gives the number of blanks per level in the answer, judged by its first indented line.

    The level of this line follows from the line at the cursor.
    """
    first = next((line for line in lines if line.startswith(" ") and line.strip()), "")
    blanks = len(first) - len(first.lstrip(" "))
    opener = situation.line_prefix
    if not opener.strip():
        return USUAL_WIDTH if blanks >= USUAL_WIDTH else max(1, blanks)
    depth = len(opener) - len(opener.lstrip("\t")) + opens_block(opener, situation.language)
    width = blanks // depth if depth and blanks % depth == 0 else 0
    return width if width in WIDTHS else USUAL_WIDTH


def _with_tabs(line: str, width: int) -> str:
    blanks = len(line) - len(line.lstrip(" "))
    levels, rest = divmod(blanks, width)
    return "\t" * levels + " " * rest + line[blanks:]


def _with_blanks(line: str, level: str) -> str:
    tabs = len(line) - len(line.lstrip("\t"))
    return level * tabs + line[tabs:]
