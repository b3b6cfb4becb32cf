"""Cuts the end of an answer that the text behind the cursor already has."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, left_open


def trim_overlap(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Cuts the rest of the cursor's line, and lines that stand below it."""
    rest = situation.line_suffix[suggestion.replaced :].rstrip()
    if not rest:
        text = _without_lines_below(suggestion.text, situation)
        return Suggestion(text, suggestion.replaced, suggestion.reason)
    # A line can't be broken before what stands right of the cursor.
    first, broken, _ = suggestion.text.partition("\n")
    if broken and left_open(first):
        return Suggestion("", reason="the answer has several lines, but text follows on this one")
    return Suggestion(first.rstrip().removesuffix(rest), suggestion.replaced, suggestion.reason)


def _without_lines_below(text: str, situation: Situation) -> str:
    below = situation.next_line().rstrip()
    lines = text.splitlines(keepends=True)
    kept = 0
    for number, line in enumerate(lines):
        whole = (situation.line_prefix if number == 0 else "") + line
        if below.strip() and whole.rstrip() == below and (number > 0 or len(line.strip()) > 3):
            return text[:kept]
        kept += len(line)
    return text
