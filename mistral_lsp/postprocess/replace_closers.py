"""Lets an answer that closes brackets or quotes take the place of those the editor closed."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, left_open, step


def replace_closers(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Replaces the closers right of the cursor that the answer brings itself."""
    quotes = situation.language.quotes
    closed = _closed_by(suggestion.text, left_open(situation.line_prefix, quotes), quotes)
    replaced = 0
    for character in closed:
        if situation.line_suffix[replaced : replaced + 1] != character:
            break
        replaced += 1
    return Suggestion(suggestion.text, max(suggestion.replaced, replaced), suggestion.reason)


def _closed_by(text: str, stack: list[str], quotes: str) -> str:
    """The closers in `text` for what was open before it, in their order."""
    closed = []
    depth = len(stack)
    for character in text:
        before = len(stack)
        if step(character, stack, quotes) and before <= depth:
            depth = min(depth, len(stack))
            closed.append(character)
    return "".join(closed)
