"""Indents an answer as its file is indented: by tabs or by blanks."""

from __future__ import annotations

from dataclasses import replace

from mistral_lsp.postprocess.base import Situation, Suggestion
from mistral_lsp.postprocess.indentation import reindented


def match_indentation(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Changes the indentation of the answer's lines to the file's."""
    return replace(suggestion, text=reindented(suggestion.text, situation))
