"""Closes the brackets that an answer ends within, where that makes the file sound."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, opens_block


def close_brackets(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Adds the closers of the brackets that the answer's last line opens. A model at its end often
    leaves them to an editor that writes them by itself.
    """
    errors = situation.errors
    ended = situation.answer.complete and not situation.line_suffix.strip()
    if not suggestion.text.strip() or errors is None or not ended:
        return suggestion
    behind = situation.nesting.behind(suggestion.text)
    last = (situation.line_prefix + suggestion.text).rpartition("\n")[2]
    wanted = behind.on_line and behind.form is None and not opens_block(last, situation.language)
    if not wanted or behind.outer > situation.nesting.outer:
        return suggestion
    closers = "".join(one.closer for one in reversed(behind.on_line))
    closed = suggestion.text.rstrip("\n") + closers
    if errors(closed, suggestion.replaced) < errors(suggestion.text, suggestion.replaced):
        return Suggestion(closed, suggestion.replaced)
    return suggestion
