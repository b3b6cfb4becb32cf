"""Remembers where the user has been, as it was there when they rested."""

from __future__ import annotations

from mistral_lsp.context.snippets import See, Snippet, around, as_it_is, likeness
from mistral_lsp.document import Snapshot

MOST = 16
"""Places that are remembered."""
ALIKE = 0.9
"""Of the words of two places: one of the two says all that the other does."""


class Recent:
    """The latest places, one of several that are alike. Used on the event loop only."""

    def __init__(self, see: See = as_it_is) -> None:
        """The user has been nowhere. What is remembered is what one may `see` of it."""
        self._see = see
        self._places: list[Snippet] = []

    def note(self, snapshot: Snapshot, offset: int) -> None:
        """Remembers a place, in place of what it makes known already."""
        here = around(snapshot, offset, self._see)
        kept = [
            place
            for place in self._places
            if not place.overlaps(here) and likeness(place, here) < ALIKE
        ]
        self._places = [*kept[1 - MOST :], here]

    def all(self) -> list[Snippet]:
        """The places, the latest first."""
        return self._places[::-1]
