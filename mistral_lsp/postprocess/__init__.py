"""Turns an answer into a suggestion, by a list of filters in a fixed order.

They run each time an answer is used, even a cached one, because the text around the cursor may have
changed.
"""

from __future__ import annotations

from mistral_lsp.postprocess.base import Filter, Situation, Suggestion
from mistral_lsp.postprocess.close_brackets import close_brackets
from mistral_lsp.postprocess.drop_blots import drop_blots
from mistral_lsp.postprocess.drop_broken import drop_broken
from mistral_lsp.postprocess.drop_doubtful import drop_doubtful
from mistral_lsp.postprocess.drop_rejected import drop_rejected
from mistral_lsp.postprocess.drop_unseen import drop_unseen
from mistral_lsp.postprocess.limit_lines import limit_lines
from mistral_lsp.postprocess.match_indentation import match_indentation
from mistral_lsp.postprocess.replace_closers import replace_closers
from mistral_lsp.postprocess.trim_blank import trim_blank
from mistral_lsp.postprocess.trim_overlap import trim_overlap

FILTERS: tuple[Filter, ...] = (
    match_indentation,
    limit_lines,
    drop_blots,
    replace_closers,
    trim_overlap,
    drop_doubtful,
    trim_blank,
    close_brackets,
    drop_broken,
    drop_rejected,
    drop_unseen,
)


def suggest(situation: Situation) -> Suggestion:
    """Runs all filters on the situation's answer."""
    suggestion = Suggestion(situation.answer.text)
    for apply in FILTERS:
        suggestion = apply(suggestion, situation)
    return suggestion
