"""The types and helpers shared by the filters."""

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
"""Counts the file's syntax errors as if a text replaced the given number of characters after the
cursor. If the text is None, the cursor's line is removed instead.
"""


@dataclass(frozen=True, slots=True)
class Situation:
    """An answer and its place in the file.

    `line_prefix` and `line_suffix` are the cursor's line; `following` is the text from that line's
    end on. `nesting`, `has_open_string` and `indent` are as in Cursor. The first `shown` characters
    of the answer are already on the screen. `rejected` are the texts dismissed here. `errors` is
    None without a syntax tree, or if the language is not code. `nearby` is the text on both sides
    of the cursor.
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
        """Gives the non-blank lines below the cursor's line, ending with the first non-comment."""
        for line in self.following.split("\n")[1:]:
            if line.strip():
                yield line
                if not is_comment(line, self.language):
                    return

    def next_line(self) -> str:
        """Gives the next non-blank line below the cursor's, or ""."""
        return next(self.lines_below(), "")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text to insert at the cursor, in place of the `replaced` characters after it.

    If nothing is to be shown, `text` is "" and `reason` says why.
    """

    text: str
    replaced: int = 0
    reason: str | None = None


def confidence(answer: Answer, length: int) -> float:
    """Gives the model's probability, 0 to 1, for the answer's first `length` characters.

    It is the product of the tokens' probabilities.
    """
    return math.prod(token.probability for token in answer.tokens_within(length))


Filter = Callable[[Suggestion, Situation], Suggestion]


def split_lines(text: str) -> list[str]:
    """Splits a text into lines, after each LF only; str.splitlines splits elsewhere, too."""
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
    """Whether a language's pattern is found in a line."""
    return compiled(pattern).search(line) is not None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compiles a language's pattern, once."""
    return re.compile(pattern)
