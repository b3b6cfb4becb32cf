"""Drops what the model itself was not sure of: lines at the end, or all of an answer."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, confidence, opens_block


def drop_doubtful(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Keeps as many lines as are likely enough together, but none at the end that only opens a
    block. What was shown stays, up to the end of its last line.
    """
    text, least = suggestion.text, situation.min_confidence
    if not text or not least:
        return suggestion
    ends = _line_ends(text)
    for end in ends:
        likely = confidence(situation.answer, end) >= least
        if likely and (end == len(text) or not _opens_block(text[:end], situation)):
            return Suggestion(text[:end], suggestion.replaced)
    if situation.shown:
        end = min(end for end in ends if end >= min(situation.shown, len(text)))
        return Suggestion(text[:end], suggestion.replaced)
    first = confidence(situation.answer, ends[-1])
    return Suggestion("", reason=f"the model was not sure ({first:.2f}, mistralLsp.minConfidence)")


def _line_ends(text: str) -> list[int]:
    """Where the lines end, from the first that has any text on; the last first."""
    first = len(text) - len(text.lstrip())
    breaks = [place for place in range(first, len(text)) if text[place] == "\n"]
    return [len(text), *reversed(breaks)]


def _opens_block(text: str, situation: Situation) -> bool:
    return opens_block((situation.line_prefix + text).rpartition("\n")[2], situation.language)
