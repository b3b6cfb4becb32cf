"""The text of an open file: fast edits, and immutable snapshots.

Lines end at LF, CR LF and CR and nowhere else, as the protocol says. str.splitlines also splits at
form feeds and U+2028, so one edit after such a character would corrupt the text. A snapshot has
only LF, like the models' training data. If an editor sends the two UTF-16 halves of a character
separately, the document keeps the first half until the second comes.
"""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from mistral_lsp.languages.base import Language
from mistral_lsp.syntax import trees
from mistral_lsp.syntax.grammars import SHORTEST_PART, would_block
from mistral_lsp.syntax.trees import SyntaxTree

LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
HALF = re.compile("[\ud800-\udfff]")
"""Matches half a character: a UTF-16 surrogate."""
REPLACEMENT = "\ufffd"
LARGEST = 2_000_000
"""Maximum number of characters of a file that gets ghost text."""
LARGEST_PARSED = 500_000
"""Maximum number of characters of a text that is parsed. For a larger one, the tree takes tens of
MB, and each keystroke 50 ms.
"""
MOST_NODES = 300_000
"""Maximum number of nodes of a syntax tree; they take 45 MB. A larger tree is dropped."""
SLOW_UPDATE_SECONDS = 0.1
"""Seconds of processor time. An edit that takes longer to parse counts as slow."""
SLOW_UPDATES = 3
"""Number of slow edits in a row after which a file loses its tree. A single one may be slow because
of a garbage collection.
"""


class LazyTree:
    """The syntax tree of a text. The text is parsed at the first use of the tree."""

    def __init__(self, make: Callable[[], SyntaxTree | None]):
        """Does not parse yet. The first `get` calls `make`, which parses the text."""
        self._lock = threading.Lock()
        self._make: Callable[[], SyntaxTree | None] | None = make
        self._tree: SyntaxTree | None = None

    @property
    def is_made(self) -> bool:
        """Whether the text has been parsed, so that `get` takes no time."""
        return self._make is None

    def get(self) -> SyntaxTree | None:
        """Gives the syntax tree, or None for a text without one. Parses the text if necessary."""
        with self._lock:
            if self._make is not None:
                self._tree, self._make = self._make(), None
            return self._tree


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file at one version.

    `lines` include their line ends; joined, they are `text`. `starts` are the offsets of the lines
    and of the text's end. In `text`, LF replaces the file's own `line_end`. `refusal` says why
    nothing may be offered in the file, and the text is then empty. `file` identifies the file: it
    is the real path, or `path` for a file that is not on disk. `names` are the file's paths
    relative to the workspace folders around it, innermost folder first.
    """

    uri: str
    path: str
    version: int
    language: Language
    text: str
    lines: tuple[str, ...]
    starts: tuple[int, ...] = field(repr=False)
    lazy_tree: LazyTree = field(repr=False, compare=False)
    line_end: str = "\n"
    refusal: str = ""
    file: str = ""
    names: tuple[str, ...] = ()
    language_id: str = ""
    """The client's id of the language; "" if unknown."""

    @property
    def tree(self) -> SyntaxTree | None:
        """The syntax tree, or None for a text without one. Parses the text if necessary."""
        return self.lazy_tree.get()

    def line_count(self) -> int:
        """Counts lines as an editor does: after a final line end, there is one more, empty line."""
        return len(self.lines) + 1 if self._ends_in_line_end() else len(self.lines)

    def _ends_in_line_end(self) -> bool:
        return not self.lines or self.lines[-1][-1] == "\n"

    def line(self, number: int) -> str:
        """Gives the text of a line without its line end. After the last line, gives ""."""
        return self.lines[number].removesuffix("\n") if number < len(self.lines) else ""

    def offset(self, line: int, column: int) -> int:
        """Gives the offset of a line and column.

        A column beyond the line's end becomes that end.
        """
        return self.starts[min(line, len(self.lines))] + min(column, len(self.line(line)))

    def place(self, offset: int) -> tuple[int, int]:
        """Gives the line of an offset, and its column in characters."""
        line = bisect_right(self.starts, offset) - 1
        if line == len(self.lines) and not self._ends_in_line_end():
            line -= 1
        return line, offset - self.starts[line]

    def replaced(self, start: int, end: int, text: str) -> Snapshot:
        """Gives a snapshot in which `text` replaces the text from `start` to `end`."""
        whole = self.text[:start] + with_line_feeds(text) + self.text[end:]
        lines = tuple(LINE.findall(whole))

        def updated() -> SyntaxTree | None:
            return self.tree and self.tree.updated(whole)

        return replace(
            self, text=whole, lines=lines, starts=_starts(lines), lazy_tree=LazyTree(updated)
        )


def with_line_feeds(text: str) -> str:
    """Gives the text with LF for every line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _starts(lines: Sequence[str]) -> tuple[int, ...]:
    return tuple(accumulate(map(len, lines), initial=0))


def _with_joined_halves(text: str) -> str:
    if text.isascii() or not HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


class Document:
    """An open file. Lines and columns count characters, not the units of LSP."""

    def __init__(
        self,
        uri: str,
        path: str,
        language: Language,
        version: int,
        text: str,
        file: str = "",
        names: tuple[str, ...] = (),
        language_id: str = "",
    ):
        """Opens the file with its first text.

        `language_id` is the client's name for the language.
        """
        self.uri = uri
        self.relocate(path, file, names)
        self.language = language
        self.language_id = language_id
        self.version = version
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._tree: SyntaxTree | None = None
        self.set_text(text)

    @property
    def text(self) -> str:
        """The text with the editor's own line ends."""
        return "".join(self._lines)

    def relocate(self, path: str, file: str = "", names: tuple[str, ...] = ()) -> None:
        """Sets the file's paths. Called when the folders of the workspace change."""
        self.path = path
        self.file = file or path
        self.names = names or (path,)
        self._snapshot = None

    def line(self, number: int) -> str:
        """Gives the text of a line without its line end. After the last line, gives ""."""
        return self._lines[number].rstrip("\r\n") if number < len(self._lines) else ""

    def set_text(self, text: str) -> None:
        """Replaces the whole text.

        A document that was out of sync is then in sync again, unless the text is too large.
        """
        self._snapshot = None
        self._goes_without_tree = False
        self._slow_updates = 0
        self._parsed_length = 0
        self._refusal = ""
        self._lines: list[str] = []
        self._length = len(text)
        if self._length > LARGEST:
            self.lose_sync(f"{self._too_large()}; open it again when it is smaller")
        else:
            self._lines = LINE.findall(_with_joined_halves(text))

    def _too_large(self) -> str:
        return f"the file is too large ({self._length:,} characters)"

    def lose_sync(self, reason: str) -> None:
        """Marks the text as out of sync with the editor. `reason` says why, and what to do."""
        self._refusal = reason
        self._lines = []
        self._snapshot = None

    def split_character(self, line: int, column: int) -> None:
        """Splits a character into its UTF-16 halves, for an edit that begins or ends within it."""
        text = self._lines[line]
        halves = text[column].encode("utf-16-le")
        parted = "".join(halves[at : at + 2].decode("utf-16-le", "surrogatepass") for at in (0, 2))
        self._lines[line] = text[:column] + parted + text[column + 1 :]

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Replaces the text between two places, each a line and a column.

        Places outside the text are moved to the nearest place in it.
        """
        if self._refusal:
            return
        start, end = self._inside(start), self._inside(end)
        if end < start:
            start, end = end, start
        head = self._lines[start[0]][: start[1]] if start[0] < len(self._lines) else ""
        tail = self._lines[end[0]][end[1] :] if end[0] < len(self._lines) else ""
        first, last = start[0], end[0] + 1
        # A "\r" at the end of a line joins a "\n" that now follows it, and a line that lost its end
        # joins the next line. So the neighbours are split into lines again.
        if first > 0 and self._lines[first - 1].endswith("\r"):
            first -= 1
            head = self._lines[first] + head
        middle = head + text + tail
        if last < len(self._lines) and not middle.endswith("\n"):
            middle += self._lines[last]
            last += 1
        middle = _with_joined_halves(middle)
        self._length += len(middle) - sum(map(len, self._lines[first:last]))
        self._lines[first:last] = LINE.findall(middle)
        self._snapshot = None

    def _inside(self, place: tuple[int, int]) -> tuple[int, int]:
        line, column = place
        if line < len(self._lines):
            return line, min(column, len(self.line(line)))
        if self._lines and self._lines[-1][-1] not in "\r\n":
            return len(self._lines) - 1, len(self._lines[-1])
        return len(self._lines), 0

    def is_current(self, snapshot: Snapshot) -> bool:
        """Whether the document is unchanged since `snapshot`.

        Comparing versions is not enough: a client may use a version number twice.
        """
        return self._snapshot is snapshot and snapshot.version == self.version

    def snapshot(self) -> Snapshot:
        """Gives the file as it is now. It is parsed when the snapshot's tree is first used."""
        if self._snapshot is None or self._snapshot.version != self.version:
            refusal = self._refusal or (self._too_large() if self._length > LARGEST else "")
            lines = () if refusal else self._clean_lines()
            text = "".join(lines)
            self._snapshot = Snapshot(
                self.uri,
                self.path,
                self.version,
                self.language,
                text,
                lines,
                _starts(lines),
                LazyTree(lambda: self._parse(text)),
                self._line_end(),
                refusal,
                self.file,
                self.names,
                self.language_id,
            )
        return self._snapshot

    def _clean_lines(self) -> tuple[str, ...]:
        """Gives the lines for a snapshot. Each ends with LF, and half characters are replaced."""
        text = self.text
        if "\r" in text:
            *lines, last = with_line_feeds(text).split("\n")
            clean = [*(f"{line}\n" for line in lines), *([last] if last else [])]
        else:
            clean = self._lines
        if not text.isascii() and HALF.search(text):
            clean = [HALF.sub(REPLACEMENT, line) for line in clean]
        return tuple(clean)

    def _line_end(self) -> str:
        first = self._lines[0] if self._lines else ""
        return first[len(first.rstrip("\r\n")) :] or "\n"

    def _parse(self, text: str) -> SyntaxTree | None:
        """Parses a text, reusing the tree of the text parsed before.

        Only one thread parses at a time.
        """
        with self._lock:
            if len(text) > LARGEST_PARSED or self._goes_without_tree:
                return None
            grown, self._parsed_length = len(text) - self._parsed_length, len(text)
            if grown > SHORTEST_PART and would_block(self.language, text):
                self._goes_without_tree = True
                return None
            before, started = self._tree, time.thread_time()
            self._tree = before.updated(text) if before else trees.parse(self.language, text)
            is_slow = before is not None and time.thread_time() - started > SLOW_UPDATE_SECONDS
            self._slow_updates = self._slow_updates + 1 if is_slow else 0
            is_lost = self._tree is None or self._slow_updates == SLOW_UPDATES
            if is_lost or (self._tree and self._tree.count_nodes() > MOST_NODES):
                # Tried again only if the whole text is replaced or the file is reopened.
                self._goes_without_tree = True
                self._tree = None
            return self._tree
