"""Remembers what the user dismissed, so that it is not offered again at the same place."""

from __future__ import annotations

from collections import OrderedDict

from mistral_lsp.document import Snapshot

KEPT_PLACES = 256
LOOK_BACK = 500

Place = tuple[str, str, str]


class Rejections:
    """The latest dismissed texts, by the text around their place."""

    def __init__(self) -> None:
        """Nothing was shown or dismissed yet."""
        self._shown: tuple[Place, str] | None = None
        self._dismissed: OrderedDict[Place, frozenset[str]] = OrderedDict()

    def show(self, snapshot: Snapshot, offset: int, text: str) -> None:
        """Notes what is shown now."""
        self._shown = (_place(snapshot, offset), text)

    def reject(self, snapshot: Snapshot, offset: int) -> None:
        """Takes what is shown at this place as dismissed; elsewhere, nothing is."""
        if self._shown is None or self._shown[0] != _place(snapshot, offset):
            return
        place, text = self._shown
        self._dismissed[place] = self._dismissed.pop(place, frozenset()) | {text}
        if len(self._dismissed) > KEPT_PLACES:
            self._dismissed.popitem(last=False)

    def at(self, snapshot: Snapshot, offset: int) -> frozenset[str]:
        """What was dismissed at this place."""
        if not self._dismissed:
            return frozenset()
        return self._dismissed.get(_place(snapshot, offset), frozenset())


def _place(snapshot: Snapshot, offset: int) -> Place:
    text = snapshot.text
    return snapshot.uri, text[max(0, offset - LOOK_BACK) : offset], text[offset : offset + 1]
