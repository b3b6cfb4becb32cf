"""Indents an answer like its file: by tabs or by blanks."""

from __future__ import annotations

from dataclasses import replace

from mistral_lsp.postprocess.base import Situation, Suggestion
from mistral_lsp.postprocess.indentation import reindented


def match_indentation(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Changes the indentation of the answer's lines."""
    return replace(suggestion, text=reindented(suggestion.text, situation))
