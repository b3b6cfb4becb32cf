"""Cuts improbable lines off the end of an answer, or drops the whole answer."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, confidence, opens_block


def drop_doubtful(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Keeps as many lines as together reach the minimum probability.

    Never cuts right after a line that opens a block. Text that is already shown stays, up to the
    next place where the answer may end.
    """
    text, least = suggestion.text, situation.min_confidence
    if not text or not least:
        return suggestion
    ends = _ends(text, situation)
    for end in ends:
        if confidence(situation.answer, end) >= least:
            return Suggestion(text[:end], suggestion.replaced)
    if situation.shown:
        end = min((end for end in ends if end >= situation.shown), default=len(text))
        return Suggestion(text[:end], suggestion.replaced)
    likely = confidence(situation.answer, ends[-1])
    return Suggestion("", reason=f"the model was not sure ({likely:.2f}, mistralLsp.minConfidence)")


def _ends(text: str, situation: Situation) -> list[int]:
    """Lists the offsets at which a text may end, last first.

    These are its end, and the end of each line that does not open a block.
    """
    first = len(text) - len(text.lstrip())
    breaks = [place for place in range(first, len(text)) if text[place] == "\n"]
    closed = [place for place in breaks if not _opens_block(text[:place], situation)]
    return [len(text), *reversed(closed)]


def _opens_block(text: str, situation: Situation) -> bool:
    return opens_block((situation.line_prefix + text).rpartition("\n")[2], situation.language)
