"""Cuts the end of an answer that the text behind the cursor already has."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, left_open

CLOSERS = ")]}\"'`"
TELLING = 4
"""Characters of a line. A closing bracket comes again in good code too."""


def trim_overlap(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Cuts the rest of the cursor's line, and lines that stand below it."""
    rest = situation.line_suffix[suggestion.replaced :].rstrip()
    if not rest:
        text = _without_lines_below(suggestion.text, situation)
        return Suggestion(text, suggestion.replaced, suggestion.reason)
    # A line can't be broken before what stands right of the cursor.
    first, broken, _ = suggestion.text.partition("\n")
    if broken and left_open(first, situation.language.quotes):
        return Suggestion("", reason="the answer has several lines, but text follows on this one")
    if suggestion.replaced and not rest.strip(CLOSERS):
        # The answer has taken its own closers' place; what is left belongs to an outer bracket.
        return Suggestion(first.rstrip(), suggestion.replaced, suggestion.reason)
    return Suggestion(first.rstrip().removesuffix(rest), suggestion.replaced, suggestion.reason)


def _without_lines_below(text: str, situation: Situation) -> str:
    below = situation.next_line().rstrip()
    kept = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        whole = (situation.line_prefix if number == 0 else "") + line
        if _is_same(whole.rstrip(), below) and (number > 0 or len(line.strip()) >= TELLING):
            return text[:kept]
        kept += len(line)
    return text


def _is_same(line: str, below: str) -> bool:
    """Whether a line is the one below; where that says something, also at another depth."""
    if len(below.strip()) >= TELLING:
        return line.strip() == below.strip()
    return bool(below) and line == below
