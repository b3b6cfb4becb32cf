"""Drops answers that the model itself was not sure of."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, confidence


def drop_doubtful(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Drops where the first line is less likely than the setting wants it."""
    if not suggestion.text or not situation.min_confidence:
        return suggestion
    likely = confidence(situation.answer, len(suggestion.text))
    if likely >= situation.min_confidence:
        return suggestion
    return Suggestion("", reason=f"the model was not sure ({likely:.2f}, mistralLsp.minConfidence)")
