"""A simple reference implementation of an LSP document: one string, changed by slicing."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE_END = re.compile(r"\r\n|\n|\r")
BYTES_OF_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def units(text: str, encoding: str) -> int:
    """Gives a text's length in the units in which the client counts columns."""
    codec = encoding if encoding == "utf-8" else f"{encoding}-le"
    return len(text.encode(codec, "surrogatepass")) // BYTES_OF_UNIT[encoding]


def halves(text: str) -> str:
    """Splits the text into one character for every UTF-16 unit."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(data[at] | data[at + 1] << 8) for at in range(0, len(data), 2))


def joined(text: str) -> str:
    """Joins neighbouring surrogate halves into characters."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@dataclass
class Mirror:
    """A client's copy of a document. `in_sync` is False after an invalid or outdated edit."""

    text: str
    version: int = 1
    in_sync: bool = True

    def offset(self, line: int, column: int, encoding: str) -> int:
        """Gives the offset of a position; for a position outside the text, the nearest offset."""
        start = 0
        for end in LINE_END.finditer(self.text):
            if line == 0:
                return start + self._within(self.text[start : end.start()], column, encoding)
            start, line = end.end(), line - 1
        if line > 0:
            return len(self.text)
        return start + self._within(self.text[start:], column, encoding)

    @staticmethod
    def _within(body: str, column: int, encoding: str) -> int:
        for place in range(len(body)):
            if units(body[:place], encoding) >= column:
                return place
        return len(body)

    def position(self, offset: int, encoding: str) -> dict[str, int]:
        """Gives the position of an offset, as line and character."""
        ends = [end.end() for end in LINE_END.finditer(self.text) if end.end() <= offset]
        start = ends[-1] if ends else 0
        return {
            "line": len(ends),
            "character": units(self.text[start:offset], encoding),
        }

    def splice(self, start: dict[str, int], end: dict[str, int], text: str, encoding: str) -> None:
        """Replaces the text between two positions."""
        if encoding == "utf-16":
            # An edit may begin or end between a character's surrogate halves.
            parted = Mirror(halves(self.text))
            parted.splice(start, end, halves(text), "utf-32")
            self.text = joined(parted.text)
            return
        first = self.offset(start["line"], start["character"], encoding)
        last = self.offset(end["line"], end["character"], encoding)
        first, last = min(first, last), max(first, last)
        self.text = self.text[:first] + text + self.text[last:]
