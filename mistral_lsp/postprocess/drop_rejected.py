"""Drops a suggestion that the user has dismissed at this place before."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion


def drop_rejected(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Drops a suggestion that begins with a dismissed text, or is the beginning of one."""
    if not suggestion.text:
        return suggestion
    for rejected in situation.rejected:
        if rejected.startswith(suggestion.text) or suggestion.text.startswith(rejected):
            return Suggestion("", reason="it was dismissed here before")
    return suggestion
