"""Cuts off, by whole lines, what would break the syntax of the file."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion

MOST_LINES = 16
"""That are tried without their last, and so parsed anew."""


def drop_broken(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Keeps the lines with which the file has no more syntax errors than without an answer.

    An answer that is still being written is left alone, since half a line is always wrong; and so
    is one in a file that is broken elsewhere, where nobody can tell what an error belongs to.
    """
    errors = situation.errors
    if not suggestion.text or errors is None or not situation.answer.complete:
        return suggestion
    if errors("", 0) and errors(None, 0):
        return suggestion
    allowed = errors("", 0)
    lines = suggestion.text.splitlines(keepends=True)
    for kept in range(len(lines), max(0, len(lines) - MOST_LINES), -1):
        text = "".join(lines[:kept]).rstrip("\r\n") if kept < len(lines) else suggestion.text
        if text.strip() and errors(text, suggestion.replaced) <= allowed:
            return Suggestion(text, suggestion.replaced)
    return Suggestion("", reason="the answer would break the syntax of the file")
