"""Cuts off, by whole lines, what would break the syntax of the file."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, opens_block, split_lines
from mistral_lsp.postprocess.indentation import indentation

MOST_LINES = 16
"""That are tried without their last, and so parsed anew."""


def drop_broken(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Keeps the lines with which the file has no more syntax errors than it may.

    An answer that is still being written is left alone, since half a line is always wrong.
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
    """How many errors the file may have with a suggestion: none, as a rule.

    It has `before` without it, and `elsewhere` without the cursor's line. Where it is broken
    elsewhere, nobody can tell what an error belongs to, and so None, any number; unless the lines
    below belong to what the cursor's line was to begin, which the text then has to mend.
    """
    if not before or not elsewhere:
        return before if _is_to_go_on(suggestion, situation) else 0
    below = situation.next_line()
    if below and indentation(below) > indentation(situation.line_prefix + suggestion.text):
        return min(before, elsewhere) - 1
    return None


def _is_to_go_on(suggestion: Suggestion, situation: Situation) -> bool:
    """Whether more has to follow: at the file's end, or a block that the user wants to write."""
    behind = situation.line_suffix[suggestion.replaced :] + situation.following
    if not behind.strip():
        return True
    line = situation.line_prefix + suggestion.text.partition("\n")[0]
    return situation.multiline == "never" and opens_block(line, situation.language)
