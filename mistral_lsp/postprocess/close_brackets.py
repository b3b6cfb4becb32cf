"""Closes the brackets and the string left open by an answer, if that removes syntax errors."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, opens_block


def close_brackets(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Adds the closing marks that the answer's last line lacks.

    Models often end an answer without these marks, and leave them to the editor.
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
