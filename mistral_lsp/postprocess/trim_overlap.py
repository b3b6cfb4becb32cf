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
    if not below:
        return text
    lines = text.splitlines(keepends=True)
    if lines and _says_the_same(situation.line_prefix + lines[0], below):
        return ""
    kept = len(lines[0]) if lines else 0
    for line in lines[1:]:
        if line.rstrip() == below or _says_the_same(line, below):
            return text[:kept]
        kept += len(line)
    return text


def _says_the_same(line: str, below: str) -> bool:
    """Whether a line of the answer is the one below, be it at another depth."""
    return len(below.strip()) >= TELLING and line.strip() == below.strip()
