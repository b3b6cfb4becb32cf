"""Finds the beginning and the end of a string, in the notation of any language."""

from __future__ import annotations

import re
from dataclasses import dataclass

QUOTE = (
    r"""(?:[A-Za-z0-9@$]{0,3}\#{0,2}(?:\\{0,3}(?:\"{3}|'{3}|["'`])|&quot;|\[=*\[)"""
    r"""|%[qQ]?[({\[|!]|\bqq?[{\[/|!])"""
)
"""The pattern of a string's opening mark, including prefixes, escaped quotes, and the marks of Lua,
Ruby and HTML.
"""

_OPENING = re.compile(
    r"""(?:[A-Za-z0-9@$]{0,3}\#{0,2}(\\{0,3}(?:\"{3}|'{3}|["'`])|&quot;|\[=*\[)"""
    r"""|(?:%[qQ]?|\bqq?)([({\[/|!]))"""
)
_BRACKETS = {"(": ")", "{": "}", "[": "]"}
_LONG = ('"""', "'''", "`")
_BODIES = {quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*", re.DOTALL) for quote in "\"'`"}


@dataclass(frozen=True, slots=True)
class Literal:
    """The part of a string that is in one line.

    `start` to `end` is the content, and `behind` is the place after the closing mark. If the string
    may end in a later line, `goes_on` is its closing mark. Otherwise it is "".
    """

    start: int
    end: int
    behind: int
    goes_on: str = ""


def read_literal(text: str, place: int) -> Literal | None:
    """Reads the string that begins at `place`, or gives None.

    A string without a closing mark extends to the end of the line.
    """
    opening = _OPENING.match(text, place)
    if opening is None:
        return None
    start = opening.end()
    quote = opening[1]
    if quote is None:
        closer = _BRACKETS.get(opening[2], opening[2])
    elif quote in _BODIES:
        body = _BODIES[quote].match(text, start)
        if body is not None and text.startswith(quote, body.end()):
            return Literal(start, body.end(), body.end() + 1)
        return Literal(start, len(text), len(text), quote if quote in _LONG else "")
    else:
        closer = quote.replace("[", "]")
    found = text.find(closer, start)
    if found < 0:
        return Literal(
            start, len(text), len(text), closer if quote in _LONG or "]" in closer else ""
        )
    return Literal(start, found, found + len(closer))
