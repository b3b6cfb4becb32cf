"""Drops an answer with invisible characters, or with characters that control the screen."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion
from mistral_lsp.text.shown import LINE_ENDS_AND_TAB, is_unseen


def drop_unseen(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Drops an answer with unseen characters, unless the file has the same ones near the cursor."""
    unseen = {one for one in suggestion.text if one not in LINE_ENDS_AND_TAB and is_unseen(one)}
    if unseen and not unseen <= set(situation.nearby):
        return Suggestion("", reason="the answer has characters that can't be seen")
    return suggestion
