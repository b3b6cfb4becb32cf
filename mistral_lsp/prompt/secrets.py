"""Replaces secrets in the text for a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from mistral_lsp.document import LINE
from mistral_lsp.prompt.blotting.names import Kind, kind
from mistral_lsp.types import BLOT, Style

if TYPE_CHECKING:
    from mistral_lsp.prompt.blotting.line import State
    from mistral_lsp.prompt.blotting.reading import Spans

__all__ = ["BLOT", "Style", "blot", "blotted", "calls_for_secret", "find_secrets"]

LONG = 16_000
"""Texts of fewer characters are read once and kept. One around the cursor has about 10,000."""


def blot(text: str, style: Style = "code") -> str:
    """Replaces every recognised secret in a text by BLOT. The number of lines does not change."""
    return blotted(text, 0, len(text), find_secrets(text, style))


def calls_for_secret(name: str) -> bool:
    """Whether the value of a variable or setting with this name is usually a secret."""
    return kind(name) is not Kind.NOTHING


def find_secrets(text: str, style: Style, cursor: int | None = None) -> list[tuple[int, int]]:
    """Finds the ranges of the secrets in a text, in order.

    The secret at the `cursor` may be only half typed.
    """
    if cursor is None:
        return list(_read(text, style, None)[0])
    start, end = _line_at(text, cursor)
    above, state = _read(text[:start], style, None)
    here, state = _typed(text[start:end], style, cursor - start, state)
    below, _ = _read(text[end:], style, state)
    return [*above, *_moved(here, start), *_moved(below, end)]


def _line_at(text: str, cursor: int) -> tuple[int, int]:
    """Gives the range of the line that contains the cursor, with its line end."""
    start = max(text.rfind("\n", 0, cursor), text.rfind("\r", 0, cursor)) + 1
    line = LINE.match(text, start)
    return start, line.end() if line else start


def _read(text: str, style: Style, state: State) -> tuple[Spans, State]:
    """Finds the secrets of whole lines, none of them at the cursor; gives the state after them."""
    return (_kept if len(text) < LONG else _read_lines)(text, style, state)


def _read_lines(text: str, style: Style, state: State) -> tuple[Spans, State]:
    found: list[tuple[int, int]] = []
    start = 0
    for line in LINE.findall(text):
        spans, state = _read_line(line, style, None, state)
        found += _moved(spans, start)
        start += len(line)
    return tuple(found), state


# The lines above and below the cursor's are the same at each key.
_kept = lru_cache(maxsize=64)(_read_lines)


def _read_line(line: str, style: Style, cursor: int | None, state: State) -> tuple[Spans, State]:
    # Its patterns take a while to compile, and the server's start need not wait for that.
    from mistral_lsp.prompt.blotting.reading import read_line

    return read_line(line.rstrip("\r\n"), style, cursor, state)


# A key asks for several prompts, with windows of several sizes.
_typed = lru_cache(maxsize=32)(_read_line)


def _moved(spans: Spans, by: int) -> Iterator[tuple[int, int]]:
    return ((start + by, end + by) for start, end in spans)


def blotted(text: str, start: int, end: int, secrets: list[tuple[int, int]]) -> str:
    """Gives the text from `start` to `end`, with BLOT in place of each of the `secrets`.

    A secret is replaced even if only a part of it is in this range.
    """
    return "".join(_pieces(text, start, end, secrets))


def _pieces(text: str, start: int, end: int, secrets: list[tuple[int, int]]) -> Iterator[str]:
    for first, last in secrets:
        if last <= start or first >= end:
            continue
        yield text[start:first]
        yield BLOT
        start = last
    yield text[start:end]
