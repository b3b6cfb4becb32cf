"""Remembers the places where the user paused, with the text around each."""

from __future__ import annotations

from mistral_lsp.context.snippets import See, Snippet, around, as_it_is, likeness
from mistral_lsp.document import Snapshot

MOST = 16
"""Places remembered, at most."""
ALIKE = 0.9
"""Likeness of two places, 0 to 1. From this value on, the later place replaces the earlier."""


class Recent:
    """The latest places, without near duplicates. Used on the event loop only."""

    def __init__(self, see: See = as_it_is) -> None:
        """Starts empty. `see` gives the part of a file's text that may be remembered."""
        self._see = see
        self._places: list[Snippet] = []

    def note(self, snapshot: Snapshot, offset: int) -> None:
        """Remembers a place, and drops earlier places that overlap it or are nearly the same."""
        here = around(snapshot, offset, self._see)
        kept = [
            place
            for place in self._places
            if not place.overlaps(here) and likeness(place, here) < ALIKE
        ]
        self._places = [*kept[1 - MOST :], here]

    def all(self) -> list[Snippet]:
        """Gives the places, the latest first."""
        return self._places[::-1]
