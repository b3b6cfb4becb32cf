"""Cuts an answer at its first mark: some servers send the stop string along."""

from __future__ import annotations

from collections.abc import Iterable


class UpToMark:
    """The text of one answer, which arrives in pieces. A mark may be spread over several."""

    def __init__(self, marks: Iterable[str]):
        """`marks` are the spellings."""
        self._marks = tuple(marks)
        self._held = ""
        self.is_over = False
        """Whether a mark has arrived."""

    def read(self, piece: str, is_last: bool) -> str:
        """Gives the new text that can be no mark. Only the last piece may end in half of one."""
        text = self._held + piece
        places = [text.find(mark) for mark in self._marks if mark in text]
        self.is_over = bool(places)
        end = min(places) if places else len(text)
        safe = end if places or is_last else end - self._begun(text)
        self._held = text[safe:end]
        return text[:safe]

    def _begun(self, text: str) -> int:
        """Gives how many characters at the end of the text may begin a mark."""
        return max(
            (
                length
                for mark in self._marks
                for length in range(1, len(mark))
                if text.endswith(mark[:length])
            ),
            default=0,
        )
