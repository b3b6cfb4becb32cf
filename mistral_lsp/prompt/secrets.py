"""Replaces secrets in the text for a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mistral_lsp.document import LINE
from mistral_lsp.prompt.blotting.names import Kind, kind
from mistral_lsp.types import BLOT, Style

if TYPE_CHECKING:
    from mistral_lsp.prompt.blotting.line import State

__all__ = ["BLOT", "Style", "blot", "blotted", "calls_for_secret", "find_secrets"]


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
    # Its patterns take a while to compile, and the server's start need not wait for that.
    from mistral_lsp.prompt.blotting.reading import read_line

    found: list[tuple[int, int]] = []
    state: State = None
    start = 0
    for line in LINE.findall(text):
        plain = line.rstrip("\r\n")
        here = (
            None if cursor is None or not start <= cursor <= start + len(plain) else cursor - start
        )
        spans, state = read_line(plain, style, here, state)
        found += ((start + first, start + last) for first, last in spans)
        start += len(line)
    return found


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
