"""Converts offsets in a str to offsets in its UTF-8 bytes, and back."""

from __future__ import annotations

from bisect import bisect_right

CHECKPOINT = 1024
"""Number of characters between two characters whose place in the bytes is stored."""


class Utf8:
    """A text and its UTF-8 bytes. For ASCII text, the offsets in both are the same."""

    def __init__(self, text: str):
        self.data = text.encode("utf-8", "surrogatepass")
        self._text = text
        self._ascii = len(self.data) == len(text)
        self._bytes = [0]
        if not self._ascii:
            for start in range(0, len(text), CHECKPOINT):
                chunk = text[start : start + CHECKPOINT].encode("utf-8", "surrogatepass")
                self._bytes.append(self._bytes[-1] + len(chunk))

    def byte(self, offset: int) -> int:
        """Gives the byte at which the character at `offset` begins."""
        if self._ascii:
            return offset
        mark = offset // CHECKPOINT
        rest = self._text[mark * CHECKPOINT : offset]
        return self._bytes[mark] + len(rest.encode("utf-8", "surrogatepass"))

    def offset(self, byte: int) -> int:
        """Gives the offset of the character that begins at a byte."""
        if self._ascii:
            return byte
        # The last stored byte is the text's end, which may lie within a chunk.
        mark = min(bisect_right(self._bytes, byte), len(self._bytes) - 1) - 1
        rest = self.data[self._bytes[mark] : byte]
        return mark * CHECKPOINT + len(rest.decode("utf-8", "surrogatepass"))

    def point(self, byte: int, start: int = 0, known: tuple[int, int] = (0, 0)) -> tuple[int, int]:
        """Gives the row of a byte, and its column in bytes.

        `known` are the row and column of byte `start`, from which the counting begins.
        """
        rows = self.data.count(b"\n", start, byte)
        if rows == 0:
            return known[0], known[1] + byte - start
        return known[0] + rows, byte - (self.data.rfind(b"\n", start, byte) + 1)
