"""One line of a text, and the state of the search for secrets in it."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Optional, Union

from mistral_lsp.prompt.blotting.names import Kind
from mistral_lsp.prompt.blotting.values import LONGEST, Manner, is_secret
from mistral_lsp.types import Style

"""How a file writes values. `code`: in quotes. `config`: mostly without quotes, as in YAML.
`shell`: up to the next blank. `prose`: in sentences.
"""

_QUOTE = re.compile(r"(?<!\\)(?:[\"`]|(?<!\w)'|'(?!\w))")
"""Matches a quote that may begin or end a string. An apostrophe within a word is not matched."""
_COMMENT = re.compile(
    r"^\s*(?:#(?!(?:define|undef|include|if\w*|el\w+|endif|pragma|region)\b)|[;%*]|//|/\*|--|<!--|'"
    r"|\.\.|REM\b)|(?:^|\s)(?:#|//|--|/\*|<!--)\s"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A name whose value is a secret.

    `start` to `end` is its range, `before` the text before it.
    """

    start: int
    end: int
    name: str
    kind: Kind
    before: str
    in_prose: bool

    @property
    def is_password(self) -> bool:
        """Whether the name is that of a password, which may be any text."""
        return self.kind is Kind.PASSWORD


@dataclass(frozen=True)
class Until:
    """The state within a value that ends at `closer`, or after at most `lines` more lines.

    With `word`, the closer must be alone on its line.
    """

    closer: str
    word: bool = False
    lines: int = 60


@dataclass(frozen=True)
class Deeper:
    """The state within a value that consists of all lines indented deeper than `indentation`."""

    indentation: int


@dataclass(frozen=True)
class Expected:
    """The state before a line that begins with the value of a name.

    A value without quotes must be indented deeper than `indentation`.
    """

    name: str
    kind: Kind
    indentation: int


@dataclass(frozen=True)
class Paired:
    """The state of the search after a secret's name, such as in `{name: "password",`.

    The secret may be in the next `lines` lines, after a key such as `value:`.
    """

    name: str
    kind: Kind
    lines: int = 5


@dataclass(frozen=True)
class Armour:
    """The state within a private key in base64.

    `head` says whether the key has a BEGIN line. Without one, its lines must be pure base64.
    """

    head: bool = True


State = Optional[Union[Until, Deeper, Expected, Paired, Armour]]
"""What the lines so far mean for the next line, which may continue or contain a value. None if they
mean nothing.
"""


def _quotes(text: str) -> list[tuple[int, str]]:
    """Lists the quotes that begin or end a string.

    Gives each quote's place, and the quote of the string that is open after this place, or "".
    """
    found: list[tuple[int, str]] = []
    open_ = ""
    for quote in _QUOTE.finditer(text):
        if not open_ or open_ == quote[0]:
            open_ = "" if open_ else quote[0]
            found.append((quote.start(), open_))
    return found


@dataclass
class Line:
    """A line without its line end.

    `cursor` is the column where the user types, if it is on the line.

    `found` are the ranges of secrets. `after` is the state for the next line.
    """

    text: str
    style: Style
    cursor: int | None = None
    found: list[tuple[int, int]] = field(default_factory=list)
    after: State = None

    def __post_init__(self) -> None:
        """Finds the place where a comment begins."""
        comment = _COMMENT.search(self.text)
        self._comment = comment.start() if comment else len(self.text)
        self._quotes: list[tuple[int, str]] | None = None

    @property
    def indentation(self) -> int:
        """The column of the first character that is neither a blank nor the dash of a list item."""
        return len(self.text) - len(self.text.lstrip(" \t-"))

    def is_typed(self, start: int, end: int) -> bool:
        """Whether the cursor is between `start` and `end`, or at one of them."""
        return self.cursor is not None and start <= self.cursor <= end

    def is_prose(self, place: int) -> bool:
        """Whether `place` is in prose: in a comment of this line, or in a file of prose."""
        return self.style == "prose" or place > self._comment

    def quote_at(self, place: int) -> str:
        """Gives the quote of the string that contains `place`, or ""."""
        if self._quotes is None:
            self._quotes = _quotes(self.text)
        before = bisect_left(self._quotes, (place, ""))
        return self._quotes[before - 1][1] if before else ""

    def hide(self, start: int, end: int) -> None:
        """Records the range of a secret, without the blanks at its ends."""
        value = self.text[start:end]
        start += len(value) - len(value.lstrip())
        self.found.append((start, max(start, end - (len(value) - len(value.rstrip())))))

    def is_secret(self, start: int, end: int, kind: Kind, manner: Manner, name: str = "") -> bool:
        """Whether the text from `start` to `end` is a secret, if it is the value of `name`."""
        value = self.text[start : min(end, start + LONGEST)]
        return is_secret(value, kind, name, manner, self.is_typed(start, end))

    def hide_if_secret(
        self, start: int, end: int, kind: Kind, manner: Manner, name: str = ""
    ) -> bool:
        """Records a value's range if the value is a secret. Gives whether it is one."""
        secret = self.is_secret(start, end, kind, manner, name)
        if secret:
            self.hide(start, end)
        return secret
