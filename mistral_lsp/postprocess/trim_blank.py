"""Removes blanks from an answer's end, and drops an answer that is only blanks."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion


def trim_blank(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Removes blanks and line ends from the answer's end.

    If text follows on the cursor's line, removes only line ends.
    """
    if suggestion.reason is not None:
        return suggestion
    behind = situation.line_suffix[suggestion.replaced :]
    text = suggestion.text.rstrip("\n") if behind.strip() else suggestion.text.rstrip()
    if not text.strip():
        return Suggestion("", reason=_why(situation))
    return Suggestion(text, suggestion.replaced)


def _why(situation: Situation) -> str:
    if situation.answer.text.strip():
        return "the answer only repeats what already stands here"
    if not situation.answer.complete:
        return "the deadline passed before the model wrote anything (mistralLsp.deadlineMs)"
    return "the model has nothing to add here"
