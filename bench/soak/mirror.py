"""A document as the protocol defines it, in the plainest way: one string, spliced."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE_END = re.compile(r"\r\n|\n|\r")
BYTES_OF_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def units(text: str, encoding: str) -> int:
    """How long a text is in the units that a client counts columns in."""
    codec = encoding if encoding == "utf-8" else f"{encoding}-le"
    return len(text.encode(codec, "surrogatepass")) // BYTES_OF_UNIT[encoding]


def halves(text: str) -> str:
    """The text with a character for every unit of UTF-16."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(data[at] | data[at + 1] << 8) for at in range(0, len(data), 2))


def joined(text: str) -> str:
    """The text with one character for two halves that stand side by side."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@dataclass
class Mirror:
    """What a client has open under a URI. `in_sync` is False once it has broken the rules."""

    text: str
    version: int = 1
    in_sync: bool = True

    def offset(self, line: int, column: int, encoding: str) -> int:
        """Where a position is; outside of the text, the nearest place within."""
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
        """The position of an offset."""
        ends = [end.end() for end in LINE_END.finditer(self.text) if end.end() <= offset]
        start = ends[-1] if ends else 0
        return {
            "line": len(ends),
            "character": units(self.text[start:offset], encoding),
        }

    def splice(self, start: dict[str, int], end: dict[str, int], text: str, encoding: str) -> None:
        """Replaces a range."""
        if encoding == "utf-16":
            # An edit may begin or end between the halves of a character, which are units, too.
            parted = Mirror(halves(self.text))
            parted.splice(start, end, halves(text), "utf-32")
            self.text = joined(parted.text)
            return
        first = self.offset(start["line"], start["character"], encoding)
        last = self.offset(end["line"], end["character"], encoding)
        first, last = min(first, last), max(first, last)
        self.text = self.text[:first] + text + self.text[last:]
