"""Recognises texts that may crash a tree-sitter grammar, by the known faults of the grammars.

A grammar's scanner keeps its state in 1,024 bytes between two tokens. Some scanners write more than
that, or store a number above 255 in one byte.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict

from mistral_lsp.languages.base import Language

FAR = 100
"""Columns are counted only in a text that has a longer line than this, in characters."""
BLOCK_MARK = re.compile(r"[-?:](?:[ \t]+|$)")
LINE_END = re.compile(r"[\r\n]")
LONGEST_WORD = 100
"""Maximum number of characters of the word that ends a heredoc."""
MOST_OPEN = 900
"""Maximum number of characters in the end marks (`EOF`) of all heredocs open at one place. Each
mark counts BESIDE_A_WORD characters more.
"""
BESIDE_A_WORD = 8
MOST_HEREDOCS = 10_000


def may_crash(language: Language, text: str) -> bool:
    """Whether the text may crash the language's grammar."""
    if language.most_columns and _columns(text) > language.most_columns:
        return True
    return bool(language.heredoc) and "<<" in text and _has_long_heredocs(language.heredoc, text)


def _has_long_heredocs(heredoc: str, text: str) -> bool:
    """Whether a heredoc's word is too long, or too many heredocs are open at one place.

    A heredoc is open until a line that consists of its word, or else until the end of the text.
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
    """Counts the columns where a YAML block may begin.

    These are the columns after a line's blanks, and those before and after `-`, `?` and `:`. Each
    open block has its own column, except that a sequence may be in the column of its key. So the
    depth of nesting is hardly more than this count. If no line is longer than FAR, gives FAR
    without counting.
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
