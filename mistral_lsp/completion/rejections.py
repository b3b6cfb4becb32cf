"""Remembers dismissed suggestions, so that they are not offered again at the same place."""

from __future__ import annotations

from cachetools import LRUCache

from mistral_lsp.document import Snapshot

KEPT_PLACES = 256
"""Maximum number of places whose dismissed texts are remembered."""
LOOK_BACK = 500
"""Number of characters before a place, by which the place is recognised."""

Place = tuple[str, str, str]
"""Identifies a place: the document's URI, the text before the place, and the character after it."""


class Rejections:
    """An LRU cache of dismissed texts, with a `Place` as the key."""

    def __init__(self) -> None:
        self._shown: tuple[Place, int, str] | None = None
        self._dismissed: LRUCache[Place, frozenset[str]] = LRUCache(KEPT_PLACES)

    def show(self, snapshot: Snapshot, offset: int, text: str) -> None:
        """Records the text that is shown now, and its place."""
        self._shown = (_place(snapshot, offset), offset, text)

    def reject(self, snapshot: Snapshot, offset: int) -> None:
        """Records the shown text as dismissed, without the part that the user has typed since.

        Does nothing if no text is shown at `offset`.
        """
        if self._shown is None:
            return
        shown_at, begin, text = self._shown
        typed = snapshot.text[begin:offset]
        same_place = _place(snapshot, begin)[:2] == shown_at[:2]
        if offset < begin or not same_place or not text.startswith(typed) or typed == text:
            return
        place = _place(snapshot, offset)
        self._dismissed[place] = self._dismissed.get(place, frozenset()) | {text[len(typed) :]}

    def at(self, snapshot: Snapshot, offset: int) -> frozenset[str]:
        """Gives the texts dismissed at `offset`."""
        if not self._dismissed:
            return frozenset()
        return self._dismissed.get(_place(snapshot, offset), frozenset())


def _place(snapshot: Snapshot, offset: int) -> Place:
    text = snapshot.text
    return snapshot.uri, text[max(0, offset - LOOK_BACK) : offset], text[offset : offset + 1]
