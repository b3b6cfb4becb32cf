"""Remembers raw answers, and finds the one that the user is typing through.

What is kept is what the model wrote, frozen; filters run on every read, because the text around may
have changed since.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from mistral_lsp.document import Snapshot
from mistral_lsp.types import Answer, Token

KEPT = 256
BEFORE = 4000
AFTER = 1000
EDITOR_CLOSED = ")]}>\"'`"


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer (also as `text`), and the text around the cursor that it was given for."""

    uri: str
    offset: int
    before: str
    after: str
    answer: Answer
    text: str


class Cache:
    """The latest answers, newest first, the least recently used forgotten."""

    def __init__(self) -> None:
        """Starts empty."""
        self._entries: OrderedDict[tuple[str, int, str], Entry] = OrderedDict()

    def put(self, snapshot: Snapshot, offset: int, answer: Answer) -> None:
        """Keeps a complete answer for a cursor at `offset`."""
        before = snapshot.text[max(0, offset - BEFORE) : offset]
        after = snapshot.text[offset : offset + AFTER]
        self._entries[snapshot.uri, offset, before] = Entry(
            snapshot.uri, offset, before, after, answer, answer.text
        )
        if len(self._entries) > KEPT:
            self._entries.popitem(last=False)

    def find(self, snapshot: Snapshot, offset: int) -> Answer | None:
        """What is left of an answer whose beginning the user has typed since, or None."""
        for key, entry in reversed(self._entries.items()):
            if entry.uri != snapshot.uri:
                continue
            if not entry.offset <= offset <= entry.offset + len(entry.text):
                continue
            if _typed_through(entry, snapshot.text, offset):
                self._entries.move_to_end(key)
                return _rest(entry.answer, offset - entry.offset)
        return None

    def clear(self) -> None:
        """Forgets everything, as when the model changes."""
        self._entries.clear()


def _typed_through(entry: Entry, text: str, offset: int) -> bool:
    typed = text[entry.offset : offset]
    written = entry.text
    if typed and not (written.startswith(typed) and len(typed) < len(written.rstrip())):
        return False
    if text[max(0, entry.offset - BEFORE) : entry.offset] != entry.before:
        return False
    behind = text[offset : offset + AFTER]
    if behind == entry.after:
        return True
    # An editor closes by itself the brackets and quotes that its user opens.
    closed = len(behind) - len(behind.lstrip(EDITOR_CLOSED))
    return bool(typed) and text[offset + closed : offset + closed + AFTER] == entry.after


def _rest(answer: Answer, typed: int) -> Answer:
    """The answer without its first `typed` characters; a token cut in two keeps its probability."""
    tokens = []
    for token in answer.tokens:
        cut = min(typed, len(token.text))
        typed -= cut
        if cut < len(token.text) or not cut:
            tokens.append(Token(token.text[cut:], token.probability))
    return Answer(tuple(tokens), answer.complete)
