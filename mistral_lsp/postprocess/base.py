"""The types and functions that the filters share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Optional

from mistral_lsp.languages.base import Language
from mistral_lsp.syntax.nesting import Nesting
from mistral_lsp.types import Answer

CountErrors = Callable[[Optional[str], int], int]
"""Counts the file's syntax errors, assuming that a text replaces a number of characters after the
cursor. If the text is None, the whole line of the cursor is assumed to be removed.
"""


@dataclass(frozen=True, slots=True)
class Situation:
    """An answer, and what the filters need to know about its place.

    `line_prefix` and `line_suffix` are the cursor's line, before and after the cursor. `following`
    is the text from the end of that line on. `nesting`, `has_open_string` and `indent` are as in
    `Cursor`. The first `shown` characters of the answer are on the screen already. `rejected` are
    the texts that the user has dismissed here. `errors` is None if there is no syntax tree, or if
    the language is not code. `nearby` is the text on both sides of the cursor.
    """

    line_prefix: str
    line_suffix: str
    following: str
    nesting: Nesting
    has_open_string: bool
    indent: str
    language: Language
    multiline: str
    min_confidence: float
    answer: Answer
    shown: int = 0
    rejected: frozenset[str] = frozenset()
    errors: CountErrors | None = None
    nearby: str = ""

    def lines_below(self) -> Iterator[str]:
        """Yields the non-blank lines below the cursor's line.

        Ends with the first line that is not a comment.
        """
        for line in self.following.split("\n")[1:]:
            if line.strip():
                yield line
                if not is_comment(line, self.language):
                    return

    def next_line(self) -> str:
        """Gives the first non-blank line below the cursor's line, or ""."""
        return next(self.lines_below(), "")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to insert at the cursor, in place of the `replaced` characters after it.

    If nothing is to be shown, `text` is "" and `reason` says why.
    """

    text: str
    replaced: int = 0
    reason: str | None = None


def confidence(answer: Answer, length: int) -> float:
    """Gives the probability, 0 to 1, of the first `length` characters of an answer.

    It is the product of the probabilities of their tokens.
    """
    return math.prod(token.probability for token in answer.tokens_within(length))


Filter = Callable[[Suggestion, Situation], Suggestion]


def split_lines(text: str) -> list[str]:
    """Splits a text after each LF.

    str.splitlines would also split at other characters.
    """
    *lines, last = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def opens_block(line: str, language: Language) -> bool:
    """Whether a line opens a block."""
    return has(language.block_opener, line.rstrip())


def is_comment(line: str, language: Language) -> bool:
    """Whether a line begins with a comment."""
    comments = (form for form in language.texts if form.is_comment)
    return any(compiled(form.begin).match(line.lstrip()) for form in comments)


def has(pattern: str, line: str) -> bool:
    """Whether a language's pattern matches somewhere in a line."""
    return compiled(pattern).search(line) is not None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compiles a language's pattern. Each pattern is compiled only once."""
    return re.compile(pattern)
