"""Keeps one line of an answer, or the whole block or bracket that this line opens."""

from __future__ import annotations

import re
from typing import Literal

from mistral_lsp.languages.base import NEVER, Language
from mistral_lsp.postprocess.base import (
    Situation,
    Suggestion,
    compiled,
    has,
    opens_block,
    split_lines,
)
from mistral_lsp.postprocess.indentation import indentation, reindented

MOST_STRING_LINES = 12
"""Maximum number of lines that are searched for the end of an open string."""
UNDECIDED = re.compile(r"\W*\w*")
"""Matches a line of which one can't yet say whether it becomes a word like `else` or `end`."""


def limit_lines(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Cuts an answer after its first line, or after the block or bracket that this line opens."""
    end = _end(suggestion.text, situation, grows=False)
    return suggestion if end is None else Suggestion(suggestion.text[:end], suggestion.replaced)


def is_over(text: str, situation: Situation) -> bool:
    """Whether a growing answer contains all the text to keep. Then its generation can stop."""
    return _end(reindented(text, situation), situation, grows=True) is not None


def _end(text: str, situation: Situation, grows: bool) -> int | None:
    """Gives the offset at which to cut, or None if nothing is to be cut yet."""
    lines = split_lines(text)
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or not _is_whole(lines[first]):
        return None
    end = sum(map(len, lines[: first + 1]))
    if situation.has_open_string and situation.multiline != "never":
        return _string_end(lines, end, situation)
    base = _base(lines[first], first > 0, situation)
    if base is None:
        return _bracket_end(lines, first, end, situation)
    for line in lines[first + 1 :]:
        part = _part(line, base, situation.language)
        if part == "behind":
            return None if grows and _may_belong(line, base, situation.language) else end
        end += len(line)
        if part == "last":
            # The cut waits until the closing line is complete.
            return end if _is_whole(line) else None
    return None


def _string_end(lines: list[str], line_end: int, situation: Situation) -> int | None:
    """Finds the end of the line that closes the string around the cursor.

    Gives None while this line may still come. If it does not come within MOST_STRING_LINES
    lines, gives the end of the first line.
    """
    nesting = situation.nesting
    open_here = len(nesting.opened)
    end = 0
    for line in lines[:MOST_STRING_LINES]:
        nesting = nesting.behind(line)
        end += len(line)
        if len(nesting.opened) < open_here:
            return end if _is_whole(line) else None
    return line_end if len(lines) > MOST_STRING_LINES else None


def _bracket_end(lines: list[str], first: int, line_end: int, situation: Situation) -> int | None:
    """Finds the end of the line that closes all brackets left open by the first line.

    Gives None while this line may still come. If there is nothing to close, gives the end of the
    first line.
    """
    above = situation.nesting.behind("".join(lines[:first]))
    head = lines[first] if first else situation.line_prefix + lines[first]
    line = lines[first].rstrip("\n")
    behind = above.behind(line + situation.line_suffix)
    is_one_line = situation.multiline == "never" or situation.errors is None
    if is_one_line or not behind.on_line or behind.text is not None:
        return line_end
    depth = indentation(head)
    end = line_end
    nesting = behind.behind("\n")
    for line in lines[first + 1 :]:
        if line.strip() and indentation(line) < depth:
            return line_end
        end += len(line)
        nesting = nesting.behind(line)
        if len(nesting.opened) <= behind.outer:
            return end if _is_whole(line) else None
    return None


def _base(line: str, on_new_line: bool, situation: Situation) -> int | None:
    """Gives the `base` of the answer's block (see `_part`), or None without a block."""
    if situation.multiline == "never":
        return None
    whole = line if on_new_line else situation.line_prefix + line
    if opens_block(whole, situation.language):
        return _depth(whole, situation.language)
    if on_new_line and opens_block(situation.line_prefix, situation.language):
        return _depth(situation.line_prefix, situation.language)
    return indentation(whole) - 1 if situation.multiline == "always" else None


def _depth(opener: str, language: Language) -> int:
    mark = compiled(language.item_mark).match(opener)
    return indentation(opener) if mark is None else mark.end()


def _part(line: str, base: int, language: Language) -> Literal["inside", "last", "behind"]:
    """Says whether a line is inside a block, is its last line, or comes after it.

    The lines of the block are indented deeper than `base`.
    """
    # The first character of a growing line is enough to show its indentation.
    if not line.strip() or indentation(line) > base:
        return "inside"
    if indentation(line) < base:
        return "behind"
    if has(language.block_middle, line.rstrip()):
        return "inside"
    return "last" if has(language.block_closer, line.rstrip()) else "behind"


def _may_belong(line: str, base: int, language: Language) -> bool:
    """Whether a line that is still growing may turn out to belong to the block above it."""
    decided = _is_whole(line) or indentation(line) < base
    if decided or (language.block_middle == NEVER and language.block_closer == NEVER):
        return False
    return UNDECIDED.fullmatch(line.strip()) is not None


def _is_whole(line: str) -> bool:
    return line.endswith("\n")
