"""What filters take and give."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Optional

from mistral_lsp.languages.base import Language
from mistral_lsp.types import Answer

CountErrors = Callable[[Optional[str], int], int]
"""How many syntax errors the file has with a text in place of so many characters behind the cursor;
with None, how many without the cursor's line.
"""


@dataclass(frozen=True, slots=True)
class Situation:
    """Where the answer goes. `line_prefix` and `line_suffix` make the cursor's line, `following` is
    the text from that line's end on. `shown` characters of the answer are on the screen already.
    `rejected` are the texts that the user has dismissed here. `errors` is None where there is no
    grammar or no code. `nearby` is the text on both sides of the cursor.
    """

    line_prefix: str
    line_suffix: str
    following: str
    language: Language
    multiline: str
    min_confidence: float
    answer: Answer
    shown: int = 0
    rejected: frozenset[str] = frozenset()
    errors: CountErrors | None = None
    nearby: str = ""

    def next_line(self) -> str:
        """The next line below the cursor's that is not blank, or ""."""
        lines = (line for line in self.following.splitlines() if line.strip())
        return next(lines, "")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text for the cursor that also takes the place of the `replaced` characters behind it.

    `text` is "" where nothing is to be shown; then `reason` says why.
    """

    text: str
    replaced: int = 0
    reason: str | None = None


def confidence(answer: Answer, length: int) -> float:
    """How likely, 0 to 1, the model holds the answer's first `length` characters to be: the product
    of their tokens' probabilities.
    """
    return math.prod(token.probability for token in answer.tokens_within(length))


PAIRS = {"(": ")", "[": "]", "{": "}"}

Filter = Callable[[Suggestion, Situation], Suggestion]


def indentation(line: str) -> int:
    """How far a line is indented, a tab reaching to the next multiple of eight."""
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def left_open(text: str, quotes: str) -> list[str]:
    """The closers that `text` still wants for its brackets and quotes, innermost last."""
    stack: list[str] = []
    for character in text:
        step(character, stack, quotes)
    return stack


def step(character: str, stack: list[str], quotes: str) -> bool:
    """Takes one character in; tells whether it closes something, opened before or out of sight."""
    if stack and stack[-1] == character:
        stack.pop()
        return True
    if stack and stack[-1] in quotes:
        return False
    if character in PAIRS:
        stack.append(PAIRS[character])
    elif character in quotes:
        stack.append(character)
    else:
        return character in PAIRS.values()
    return False


def opens_block(line: str, language: Language) -> bool:
    """Whether a block follows behind a line."""
    return has(language.block_opener, line.rstrip())


def has(pattern: str, line: str) -> bool:
    """Whether a language's pattern is found in a line."""
    return compiled(pattern).search(line) is not None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A language's pattern, to be used often."""
    return re.compile(pattern)
