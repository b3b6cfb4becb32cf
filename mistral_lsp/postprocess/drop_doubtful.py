"""Drops answers that the model itself was not sure of."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, confidence


def drop_doubtful(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Drops where the mean probability of the tokens that would be shown is below the setting."""
    if not suggestion.text or not situation.min_confidence:
        return suggestion
    mean = confidence(situation.answer, len(suggestion.text))
    if mean >= situation.min_confidence:
        return suggestion
    return Suggestion("", reason=f"the model was not sure ({mean:.2f}, mistralLsp.minConfidence)")
