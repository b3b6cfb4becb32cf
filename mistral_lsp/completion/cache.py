"""An LRU cache of answers, searched for the answer that the user is typing.

The cache holds answers as the model wrote them. The filters run each time an answer is used,
because the text around the cursor may have changed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from mistral_lsp.document import Snapshot
from mistral_lsp.types import Answer, Token

KEPT = 256
"""Maximum number of answers in the cache."""
BEFORE = 4000
"""An answer is found only while this many characters before its beginning are unchanged."""
AFTER = 1000
"""An answer is found only while this many characters after the cursor are unchanged."""
EDITOR_CLOSED = ")]}>\"'`"
"""Closing brackets and quotes that an editor may insert by itself."""


@dataclass
class Entry:
    """An answer, whole or still growing, and the text around the place where it begins.

    `complete`: the model or a stop rule ended the answer. `ended`: the model ended it.
    """

    uri: str
    offset: int
    before: str
    after: str
    tokens: list[Token] = field(default_factory=list)
    complete: bool = False
    ended: bool = False
    text: str = ""
    """The tokens' text, joined."""
    _seen: int = 0

    @classmethod
    def at(cls, snapshot: Snapshot, offset: int) -> Entry:
        """Makes an empty entry for a cursor at `offset`."""
        before = snapshot.text[max(0, offset - BEFORE) : offset]
        return cls(snapshot.uri, offset, before, snapshot.text[offset : offset + AFTER])

    def behind(self, typed: str) -> Entry:
        """Makes an empty entry for the place of the cursor after the user has typed `typed`."""
        before = (self.before + typed)[-BEFORE:]
        return Entry(self.uri, self.offset + len(typed), before, self.after)

    @property
    def answer(self) -> Answer:
        """The answer so far."""
        return Answer(tuple(self.tokens), self.complete)

    def take(self, token: Token) -> None:
        """Appends a token, without its CR characters. In prompts, too, lines end with LF alone."""
        if "\r" in token.text:
            token = Token(token.text.replace("\r", ""), token.probability)
        self.tokens.append(token)
        self.text += token.text

    def see(self, characters: int) -> int:
        """Records that the answer's first `characters` characters were shown.

        Gives the number of tokens newly shown.
        """
        seen = len(self.answer.tokens_within(characters))
        fresh = max(0, seen - self._seen)
        self._seen += fresh
        return fresh

    def is_seen_at(self, offset: int) -> bool:
        """Whether any part of the answer after `offset` has been shown."""
        shown = sum(len(token.text) for token in self.tokens[: self._seen])
        return self.offset + shown > offset

    def rest(self, snapshot: Snapshot, offset: int) -> Answer | None:
        """Gives the part of the answer after `offset`, or None if the user typed other text.

        While the answer grows, the user may have typed more than it contains so far.
        """
        if snapshot.uri != self.uri or offset < self.offset:
            return None
        typed = snapshot.text[self.offset : offset]
        if not self._agrees(typed) or not self._surrounds(snapshot.text, offset, bool(typed)):
            return None
        return _rest(self.tokens, len(typed), self.complete)

    def _agrees(self, typed: str) -> bool:
        if not self.complete:
            return self.text.startswith(typed) or typed.startswith(self.text)
        if not typed or (self.ended and typed == self.text):
            return True
        return self.text.startswith(typed) and len(typed) < len(self.text.rstrip())

    def _surrounds(self, text: str, offset: int, typed: bool) -> bool:
        if text[max(0, self.offset - BEFORE) : self.offset] != self.before:
            return False
        behind = text[offset : offset + AFTER]
        if behind == self.after:
            return True
        # An editor may close the brackets and quotes that its user opens.
        closed = len(behind) - len(behind.lstrip(EDITOR_CLOSED))
        return typed and text[offset + closed : offset + closed + AFTER] == self.after


class Cache:
    """An LRU cache of answers."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, int, str], Entry] = OrderedDict()

    def put(self, entry: Entry) -> None:
        """Adds a complete answer. A full cache drops the least recently used one."""
        self._entries[entry.uri, entry.offset, entry.before] = entry
        if len(self._entries) > KEPT:
            self._entries.popitem(last=False)

    def holds(self, entry: Entry) -> bool:
        """Whether the cache has an answer for the entry's place."""
        kept = self._entries.get((entry.uri, entry.offset, entry.before))
        return kept is not None and kept.after == entry.after

    def find(self, snapshot: Snapshot, offset: int) -> tuple[Entry, Answer] | None:
        """Finds an answer that agrees with the typed text.

        Gives its entry, and the part of the answer after `offset`. Gives None if there is no such
        answer.
        """
        for key, entry in reversed(self._entries.items()):
            if not entry.offset <= offset <= entry.offset + len(entry.text):
                continue
            rest = entry.rest(snapshot, offset)
            if rest is not None:
                self._entries.move_to_end(key)
                return entry, rest
        return None

    def clear(self) -> None:
        """Removes all answers, for example when the model changes."""
        self._entries.clear()


def _rest(tokens: list[Token], typed: int, complete: bool) -> Answer:
    """Gives the tokens without their first `typed` characters.

    A token of which only the end is left keeps its probability.
    """
    left = []
    for token in tokens:
        cut = min(typed, len(token.text))
        typed -= cut
        if cut < len(token.text) or not cut:
            left.append(Token(token.text[cut:], token.probability))
    return Answer(tuple(left), complete)
