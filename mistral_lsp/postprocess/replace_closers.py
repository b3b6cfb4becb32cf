"""Lets the closing marks of an answer replace those that the editor has inserted."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion


def replace_closers(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Replaces those closing marks after the cursor that the answer contains itself."""
    replaced = suggestion.replaced
    for closing in situation.nesting.closings(suggestion.text):
        if not situation.line_suffix.startswith(closing.mark, replaced):
            break
        replaced += len(closing.mark)
    return Suggestion(suggestion.text, replaced, suggestion.reason)
