"""Remembers the places where the user has paused, with the text around each."""

from __future__ import annotations

from mistral_lsp.context.snippets import See, Snippet, around, as_it_is, likeness
from mistral_lsp.document import Snapshot

MOST = 16
"""Maximum number of remembered places."""
ALIKE = 0.9
"""Minimum similarity, 0 to 1, at which a later place replaces an earlier one."""


class Recent:
    """The latest places where the user has paused, without near duplicates.

    Used on the event loop only.
    """

    def __init__(self, see: See = as_it_is) -> None:
        """Starts empty. `see` gives a part of a file's text to remember, without secrets."""
        self._see = see
        self._places: list[Snippet] = []

    def note(self, snapshot: Snapshot, offset: int) -> None:
        """Remembers a place. Drops earlier places that overlap it or are nearly the same."""
        here = around(snapshot, offset, self._see)
        kept = [
            place
            for place in self._places
            if not place.overlaps(here) and likeness(place, here) < ALIKE
        ]
        self._places = [*kept[1 - MOST :], here]

    def all(self) -> list[Snippet]:
        """Gives all places, the latest first."""
        return self._places[::-1]
