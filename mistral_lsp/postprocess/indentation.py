"""How far lines are indented, and how a model's lines are indented as the file's are."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, opens_block

USUAL_WIDTH = 4
WIDTHS = (2, 3, 4, 8)
"""Blanks that models write for one level."""


def indentation(line: str) -> int:
    """How far a line is indented, a tab reaching to the next multiple of eight."""
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def reindented(text: str, situation: Situation) -> str:
    """The text with tabs in a file that is indented by tabs, and with blanks in one that is by
    blanks: models mix them up. A first line behind text of the file's own has no indentation.
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
    """How many blanks the model takes for a level: its first line there is as deep as it must be
    behind the cursor's.
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
