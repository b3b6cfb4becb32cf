"""Cuts off the end of an answer that repeats the text after the cursor."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mistral_lsp.postprocess.base import Situation, Suggestion, split_lines

TOKEN = re.compile(r"\w+|[^\w\s]")
SEPARATORS = ";,"
"""Characters that are ignored at the ends of lines when two lines are compared."""
TELLING = 4
"""Minimum number of characters of a line that counts as a repetition. Short lines, such as closing
brackets, are often repeated in good code.
"""
OPEN_TAG = re.compile(r"<[A-Za-z](?:[^<>]*[^<>/])?>")
CLOSE_TAG = re.compile(r"</[A-Za-z]")


def trim_overlap(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Cuts off what repeats the rest of the cursor's line, or the lines below it."""
    rest = situation.line_suffix[suggestion.replaced :].rstrip()
    if not rest:
        text = _without_lines_below(suggestion.text, situation)
        return _without_no_change(
            Suggestion(text, suggestion.replaced, suggestion.reason), situation
        )
    trimmed = _with_closers(suggestion, rest, situation)
    if trimmed is None:
        # Text follows on the cursor's line, so the answer can have one line only.
        first, broken, _ = suggestion.text.partition("\n")
        if broken and situation.nesting.left_open(first):
            reason = "the answer has several lines, but text follows on this one"
            return Suggestion("", reason=reason)
        trimmed = _trimmed(Suggestion(first.rstrip(), suggestion.replaced), rest, situation)
    return _without_no_change(trimmed, situation)


def _with_closers(suggestion: Suggestion, rest: str, situation: Situation) -> Suggestion | None:
    """Adapts a suggestion whose text after its closing marks repeats `rest`. Else gives None.

    `rest` is the text on the line after the characters that the suggestion replaces.
    """
    text, replaced = suggestion.text, suggestion.replaced
    begin, end = _closers(suggestion, situation)
    if not replaced or not _says_the_same(text[end:], rest):
        return None
    if "\n" in text or text[begin:end] == situation.line_suffix[:replaced]:
        return Suggestion(text[:end], replaced)
    # The answer has text between its closing marks, so it replaces `rest`, too.
    return Suggestion(text.rstrip(), replaced + len(rest))


def _trimmed(suggestion: Suggestion, rest: str, situation: Situation) -> Suggestion:
    """Cuts a repetition of `rest` off the end of the answer.

    `rest` is the text on the line after the characters that the suggestion replaces.
    """
    text, replaced = suggestion.text, suggestion.replaced
    begin, end = _closers(suggestion, situation)
    if replaced and _encloses(text[end:], rest):
        return Suggestion(text[:begin].rstrip())
    for token in TOKEN.finditer(text, end):
        start = token.start()
        if _overlaps(text[start:], rest) and _is_closed(text[:start], rest, situation):
            return Suggestion(text[:start].rstrip(), replaced)
    return Suggestion(text, replaced)


def _closers(suggestion: Suggestion, situation: Situation) -> tuple[int, int]:
    """Gives the range of those closing marks in the answer that replace marks after the cursor."""
    begin = end = 0
    left = suggestion.replaced
    for closing in situation.nesting.closings(suggestion.text):
        if left <= 0:
            break
        begin = begin if end else closing.end - len(closing.mark)
        end = closing.end
        left -= len(closing.mark)
    return begin, end


def _overlaps(end: str, rest: str) -> bool:
    """Whether `end`, the end of an answer, equals `rest` or the beginning of `rest`."""
    written, standing = TOKEN.findall(end), TOKEN.findall(rest)
    common = _common(written, standing)
    if common == len(standing):
        return all(one in SEPARATORS for one in written[common:])
    return common == len(written)


def _encloses(end: str, rest: str) -> bool:
    """Whether `end`, the end of an answer, is `rest` with more text inserted."""
    written = TOKEN.findall(end.rstrip(SEPARATORS))
    standing = TOKEN.findall(rest.rstrip(SEPARATORS))
    if not written or not standing or (written[0], written[-1]) != (standing[0], standing[-1]):
        return False
    found = iter(written)
    return all(one in found for one in standing)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _is_closed(beginning: str, rest: str, situation: Situation) -> bool:
    """Whether the beginning of an answer closes everything that it opens."""
    if rest.startswith("</"):
        opened = len(OPEN_TAG.findall(beginning)) - len(CLOSE_TAG.findall(beginning))
        if opened > 0:
            return False
    return not situation.nesting.left_open(beginning)


def _without_no_change(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Drops an answer that equals the text it replaces, except in a comment."""
    text = situation.nesting.text
    is_comment = text is not None and text.form is not None and text.form.is_comment
    if suggestion.text == situation.line_suffix[: suggestion.replaced] and not is_comment:
        return Suggestion("", 0, suggestion.reason)
    return suggestion


def _without_lines_below(text: str, situation: Situation) -> str:
    below = list(situation.lines_below())
    if not below:
        return text
    lines = split_lines(text)
    if lines and _stands_below(situation.line_prefix + lines[0], below):
        return ""
    kept = len(lines[0]) if lines else 0
    for line in lines[1:]:
        if line.rstrip() == below[0].rstrip() or _stands_below(line, below):
            return text[:kept]
        kept += len(line)
    return text


def _stands_below(line: str, below: Sequence[str]) -> bool:
    """Whether a line of the answer repeats one of the lines in `below`, at any indentation."""
    return len(line.strip()) >= TELLING and any(_says_the_same(line, one) for one in below)


def _says_the_same(line: str, other: str) -> bool:
    return line.strip().rstrip(SEPARATORS).rstrip() == other.strip().rstrip(SEPARATORS).rstrip()
