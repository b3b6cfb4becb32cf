"""Cuts lines off the end of an answer that would break the file's syntax."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, opens_block, split_lines
from mistral_lsp.postprocess.indentation import indentation

MOST_LINES = 16
"""Maximum number of tries for one answer. Each parses the file with one line of the answer less.
"""


def drop_broken(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Keeps as many lines as possible without causing more syntax errors than are allowed.

    Leaves a growing answer alone: its last line is half written and would look broken.
    """
    errors = situation.errors
    if not suggestion.text or errors is None or not situation.answer.complete:
        return suggestion
    before = errors("", 0)
    elsewhere = errors(None, 0) if before else 0
    lines = split_lines(suggestion.text)
    for kept in range(len(lines), max(0, len(lines) - MOST_LINES), -1):
        text = "".join(lines[:kept]).rstrip("\n") if kept < len(lines) else suggestion.text
        allowed = _allowed(Suggestion(text, suggestion.replaced), before, elsewhere, situation)
        if text.strip() and (allowed is None or errors(text, suggestion.replaced) <= allowed):
            return Suggestion(text, suggestion.replaced)
    return Suggestion("", reason="the answer would break the syntax of the file")


def _allowed(
    suggestion: Suggestion, before: int, elsewhere: int, situation: Situation
) -> int | None:
    """Gives the maximum number of syntax errors in the file with a suggestion; None is no maximum.

    Before the suggestion is inserted, the file has `before` errors; `elsewhere` of them are not in
    the cursor's line. Usually no error is allowed. In a file that is broken elsewhere, any number
    is allowed, since the suggestion may not be the cause. Below the cursor there may be an indented
    block without a line that opens it. The suggestion must then reduce the number of errors.
    """
    if not before or not elsewhere:
        return before if _is_to_go_on(suggestion, situation) else 0
    below = situation.next_line()
    if below and indentation(below) > indentation(situation.line_prefix + suggestion.text):
        return min(before, elsewhere) - 1
    return None


def _is_to_go_on(suggestion: Suggestion, situation: Situation) -> bool:
    """Whether more code must follow: at the file's end, or after a line that opens a block.

    Such a line counts only if the user wants single lines. The user then writes the block.
    """
    behind = situation.line_suffix[suggestion.replaced :] + situation.following
    if not behind.strip():
        return True
    line = situation.line_prefix + suggestion.text.partition("\n")[0]
    return situation.multiline == "never" and opens_block(line, situation.language)
