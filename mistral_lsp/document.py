"""The text of an open file: edits in microseconds, and frozen snapshots of it.

Lines end at LF, CR LF and CR and nowhere else, as the protocol says; str.splitlines also splits at
form feeds and U+2028, and one edit after such a character would corrupt the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from mistral_lsp import syntax
from mistral_lsp.languages.base import Language
from mistral_lsp.syntax import SyntaxTree

LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
LARGEST_PARSED = 2_000_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was at one version.

    `lines` keep their ends; joined they are `text`. `starts` are their offsets, and the text's end.
    `file` tells the file from all others: its real path, or `path` where it is none on disk.
    `names` are its paths below the folders of the workspace, the nearest folder's first.
    """

    uri: str
    path: str
    version: int
    language: Language
    text: str
    lines: tuple[str, ...]
    starts: tuple[int, ...] = field(repr=False)
    tree: SyntaxTree | None = field(repr=False)
    out_of_sync: str = ""
    file: str = ""
    names: tuple[str, ...] = ()

    def line_count(self) -> int:
        """Lines as an editor counts them: an empty one follows a last line end."""
        return len(self.lines) + 1 if self._ends_in_line_end() else len(self.lines)

    def _ends_in_line_end(self) -> bool:
        return not self.lines or self.lines[-1][-1] in "\r\n"

    def line(self, number: int) -> str:
        """The text of a line without its end; "" behind the last one."""
        return self.lines[number].rstrip("\r\n") if number < len(self.lines) else ""

    def offset(self, line: int, column: int) -> int:
        """The offset of a place; columns past the end of the line mean its end."""
        return self.starts[min(line, len(self.lines))] + min(column, len(self.line(line)))

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column (in characters) of an offset."""
        line = bisect_right(self.starts, offset) - 1
        if line == len(self.lines) and not self._ends_in_line_end():
            line -= 1
        return line, offset - self.starts[line]

    def replaced(self, start: int, end: int, text: str) -> Snapshot:
        """The file as it would be with another text in a range."""
        whole = self.text[:start] + text + self.text[end:]
        lines = tuple(LINE.findall(whole))
        return replace(
            self,
            text=whole,
            lines=lines,
            starts=_starts(lines),
            tree=self.tree and self.tree.updated(whole),
        )


def _starts(lines: Sequence[str]) -> tuple[int, ...]:
    return tuple(accumulate(map(len, lines), initial=0))


class Document:
    """An open file. Lines and columns count characters; editors' units are turned before."""

    def __init__(
        self,
        uri: str,
        path: str,
        language: Language,
        version: int,
        text: str,
        file: str = "",
        names: tuple[str, ...] = (),
    ):
        """Opens the file with its first text."""
        self.uri = uri
        self.relocate(path, file, names)
        self.language = language
        self.version = version
        self._out_of_sync = ""
        self._lines: list[str] = LINE.findall(text)
        self._snapshot: Snapshot | None = None
        self._tree: SyntaxTree | None = None
        self._takes_too_long = False

    def relocate(self, path: str, file: str = "", names: tuple[str, ...] = ()) -> None:
        """Says where the file lies, which changes with the folders of the workspace."""
        self.path = path
        self.file = file or path
        self.names = names or (path,)
        self._snapshot = None

    def line(self, number: int) -> str:
        """The text of a line without its end; "" behind the last one."""
        return self._lines[number].rstrip("\r\n") if number < len(self._lines) else ""

    def set_text(self, text: str) -> None:
        """Replaces everything, and so mends a document that was out of sync."""
        self._lines = LINE.findall(text)
        self._out_of_sync = ""
        self._snapshot = None
        self._takes_too_long = False

    def lose_sync(self, reason: str) -> None:
        """Marks the text as maybe not the editor's any more; `reason` says why and what helps."""
        self._out_of_sync = reason
        self._snapshot = None

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Replaces what lies between two (line, column) places; places outside mean the end."""
        start, end = self._inside(start), self._inside(end)
        if end < start:
            start, end = end, start
        head = self._lines[start[0]][: start[1]] if start[0] < len(self._lines) else ""
        tail = self._lines[end[0]][end[1] :] if end[0] < len(self._lines) else ""
        first, last = start[0], end[0] + 1
        # A "\r" left at the end of a line joins a "\n" that now follows it, and a line that lost
        # its end goes on with the next: both need the neighbours split again.
        if first > 0 and self._lines[first - 1].endswith("\r"):
            first -= 1
            head = self._lines[first] + head
        middle = head + text + tail
        if last < len(self._lines) and not middle.endswith("\n"):
            middle += self._lines[last]
            last += 1
        self._lines[first:last] = LINE.findall(middle)
        self._snapshot = None

    def _inside(self, place: tuple[int, int]) -> tuple[int, int]:
        line, column = place
        if line < len(self._lines):
            return line, min(column, len(self.line(line)))
        if self._lines and self._lines[-1][-1] not in "\r\n":
            return len(self._lines) - 1, len(self._lines[-1])
        return len(self._lines), 0

    def snapshot(self) -> Snapshot:
        """The file as it is now; parsing follows the edits since the last snapshot."""
        if self._snapshot is None or self._snapshot.version != self.version:
            text = "".join(self._lines)
            self._tree = self._parse(text)
            self._snapshot = Snapshot(
                self.uri,
                self.path,
                self.version,
                self.language,
                text,
                tuple(self._lines),
                _starts(self._lines),
                self._tree,
                self._out_of_sync,
                self.file,
                self.names,
            )
        return self._snapshot

    def _parse(self, text: str) -> SyntaxTree | None:
        if len(text) > LARGEST_PARSED or self._takes_too_long:
            return None
        started = self._tree
        tree = started.updated(text) if started else syntax.parse(self.language, text)
        # Nor is it tried again at every key; a whole new text, or the file opened anew, is.
        self._takes_too_long = tree is None
        return tree
