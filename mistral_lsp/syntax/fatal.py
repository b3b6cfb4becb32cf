"""Recognises texts that may crash a tree-sitter grammar, by the grammars' known faults.

A grammar's scanner keeps its state in 1,024 bytes between two tokens. Some scanners write past
these bytes, or keep a number above 255 in one byte.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict

from mistral_lsp.languages.base import Language

FAR = 100
"""Columns are counted only in a text with a line of more characters than this."""
BLOCK_MARK = re.compile(r"[-?:](?:[ \t]+|$)")
LINE_END = re.compile(r"[\r\n]")
LONGEST_WORD = 100
"""Characters of a heredoc's word, its delimiter, at most."""
MOST_OPEN = 900
"""Characters of the words of all heredocs open at one place, at most, plus BESIDE_A_WORD each."""
BESIDE_A_WORD = 8
MOST_HEREDOCS = 10_000


def may_crash(language: Language, text: str) -> bool:
    """Whether the language's grammar should not see the text."""
    if language.most_columns and _columns(text) > language.most_columns:
        return True
    return bool(language.heredoc) and "<<" in text and _has_long_heredocs(language.heredoc, text)


def _has_long_heredocs(heredoc: str, text: str) -> bool:
    """Whether a heredoc's word is too long, or too many heredocs are open at one place.

    A heredoc is open up to the next line that is its word, or else up to the text's end.
    """
    words = [(match.start(), match[match.lastindex or 0]) for match in re.finditer(heredoc, text)]
    if len(words) > MOST_HEREDOCS or any(len(word) > LONGEST_WORD for _, word in words):
        return True
    if sum(len(word) + BESIDE_A_WORD for _, word in words) <= MOST_OPEN:
        return False  # nearly every text: safe even if all heredocs were open at once
    ends = defaultdict(list)
    place = 0
    for line in text.split("\n"):
        ends[line.strip(" \t\r;,)")].append(place)
        place += len(line) + 1
    changes = []
    for start, word in words:
        after = ends.get(word, [])
        first = bisect_right(after, start)
        size = len(word) + BESIDE_A_WORD
        changes += [(start, size), (after[first] if first < len(after) else len(text) + 1, -size)]
    open_now = 0
    for _, change in sorted(changes):
        open_now += change
        if open_now > MOST_OPEN:
            return True
    return False


def _columns(text: str) -> int:
    """Counts the columns where a YAML block may begin: after a line's blanks, or a `-`, `?`, `:`.

    Each open block has its own column, except that a sequence may share its key's column. So the
    count bounds the depth of nesting. If no line is longer than FAR, gives FAR without counting.
    """
    lines = LINE_END.split(text)
    if max(map(len, lines), default=0) <= FAR:
        return FAR
    columns: set[int] = set()
    for line in lines:
        columns.add(len(line) - len(line.lstrip(" \t")))
        for mark in BLOCK_MARK.finditer(line):
            columns.update(mark.span())
    return len(columns)
