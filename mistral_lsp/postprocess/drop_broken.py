"""Cuts off, by whole lines, the end of an answer that breaks the file's syntax."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, opens_block, split_lines
from mistral_lsp.postprocess.indentation import indentation

MOST_LINES = 16
"""Tries for one answer, at most, each a line shorter; each try parses the file again."""


def drop_broken(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Keeps as many lines as possible without more syntax errors than allowed.

    A growing answer is left alone: its half-written last line would look broken.
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
    """Gives the most syntax errors that the file may have with a suggestion; None is no limit.

    The file has `before` errors without the suggestion, and `elsewhere` without the cursor's line.
    Usually, no error is allowed. If the file is broken elsewhere, any number is, since they may not
    be the suggestion's fault. But if the lines below are the block of the cursor's line, the
    suggestion must fix an error.
    """
    if not before or not elsewhere:
        return before if _is_to_go_on(suggestion, situation) else 0
    below = situation.next_line()
    if below and indentation(below) > indentation(situation.line_prefix + suggestion.text):
        return min(before, elsewhere) - 1
    return None


def _is_to_go_on(suggestion: Suggestion, situation: Situation) -> bool:
    """Whether code is still to come: at the file's end, or in a block left to the user."""
    behind = situation.line_suffix[suggestion.replaced :] + situation.following
    if not behind.strip():
        return True
    line = situation.line_prefix + suggestion.text.partition("\n")[0]
    return situation.multiline == "never" and opens_block(line, situation.language)
