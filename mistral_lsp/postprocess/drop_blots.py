"""Cuts off copies of BLOT, the text that replaces secrets in a prompt."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion
from mistral_lsp.types import BLOT


def drop_blots(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Cuts an answer before the first line that contains BLOT.

    Does nothing if the file itself has BLOT before the cursor on its line, or in the lines below.
    """
    place = suggestion.text.find(BLOT)
    if place < 0 or BLOT in situation.line_prefix or BLOT in situation.following:
        return suggestion
    kept = suggestion.text[: max(0, suggestion.text.rfind("\n", 0, place))]
    if not kept.strip():
        return Suggestion("", reason="the answer wants a secret, which no model is told")
    return Suggestion(kept, suggestion.replaced, suggestion.reason)
