"""Cuts off, by whole lines, what would break the syntax of the file."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, left_open, opens_block

MOST_LINES = 16
"""That are tried without their last, and so parsed anew."""


def drop_broken(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Keeps the lines with which the file has no more syntax errors than without an answer; where
    the file is sound but for the cursor's line, none, unless that line is to go on.

    An answer that is still being written is left alone, since half a line is always wrong; and so
    is one in a file that is broken elsewhere, where nobody can tell what an error belongs to.
    """
    errors = situation.errors
    if not suggestion.text or errors is None or not situation.answer.complete:
        return suggestion
    before, elsewhere = errors("", 0), errors(None, 0)
    if before and elsewhere:
        return suggestion
    lines = suggestion.text.splitlines(keepends=True)
    for kept in range(len(lines), max(0, len(lines) - MOST_LINES), -1):
        text = "".join(lines[:kept]).rstrip("\r\n") if kept < len(lines) else suggestion.text
        allowed = before if _goes_on(text, suggestion.replaced, situation) else 0
        if text.strip() and errors(text, suggestion.replaced) <= allowed:
            return Suggestion(text, suggestion.replaced)
    return Suggestion("", reason="the answer would break the syntax of the file")


def _goes_on(text: str, replaced: int, situation: Situation) -> bool:
    """Whether more has to follow what is now half typed: a block, or what closes a bracket."""
    written = situation.line_prefix + text + situation.line_suffix[replaced:]
    last = written.rpartition("\n")[2]
    return bool(left_open(written, situation.language.quotes)) or opens_block(
        last, situation.language
    )
