"""Closes the brackets and strings that an answer leaves open, if that removes syntax errors."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, opens_block


def close_brackets(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Adds the closing marks that are missing at the end of the answer's last line.

    Models often leave these marks to the editor.
    """
    errors = situation.errors
    ended = situation.answer.complete and not situation.line_suffix.strip()
    if not suggestion.text.strip() or errors is None or not ended:
        return suggestion
    behind = situation.nesting.behind(suggestion.text)
    last = (situation.line_prefix + suggestion.text).rpartition("\n")[2]
    text = behind.text
    is_comment = text is not None and text.form is not None and text.form.is_comment
    is_block = text is None and opens_block(last, situation.language)
    if not behind.on_line or is_comment or is_block or behind.outer > situation.nesting.outer:
        return suggestion
    closed = suggestion.text.rstrip("\n") + behind.closers()
    if errors(closed, suggestion.replaced) < errors(suggestion.text, suggestion.replaced):
        return Suggestion(closed, suggestion.replaced)
    return suggestion
