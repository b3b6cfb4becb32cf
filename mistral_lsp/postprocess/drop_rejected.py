"""Drops what the user has dismissed at this very place before."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion


def drop_rejected(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Drops the same text, a longer one that begins with it, and what may still grow into it."""
    if not suggestion.text:
        return suggestion
    for rejected in situation.rejected:
        if rejected.startswith(suggestion.text) or suggestion.text.startswith(rejected):
            return Suggestion("", reason="it was dismissed here before")
    return suggestion
