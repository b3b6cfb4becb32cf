"""Closes the brackets that an answer ends within, where that makes the file sound."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, left_open, opens_block


def close_brackets(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Adds the closers of the brackets that the answer's last line opens. A model at its end often
    leaves them to an editor that writes them by itself.
    """
    errors = situation.errors
    ended = situation.answer.complete and not situation.line_suffix.strip()
    if not suggestion.text.strip() or errors is None or not ended:
        return suggestion
    language = situation.language
    whole = situation.line_prefix + suggestion.text
    last = whole.splitlines()[-1]
    stack = left_open(last, language.quotes)
    wanted = stack and not set(stack) & set(language.quotes) and not opens_block(last, language)
    if not wanted or left_open(whole, language.quotes) != stack:
        return suggestion
    closed = suggestion.text.rstrip("\r\n") + "".join(reversed(stack))
    if errors(closed, suggestion.replaced) < errors(suggestion.text, suggestion.replaced):
        return Suggestion(closed, suggestion.replaced)
    return suggestion
