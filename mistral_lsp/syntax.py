"""Syntax trees: parses text, follows edits, and answers questions about a place in it.

The only module that knows tree-sitter. Outside, a place is an offset into the str; the grammar's
UTF-8 bytes never leave this file. Parsing never fails: broken code gives a tree with errors.
"""

from __future__ import annotations

import ctypes
import importlib
import re
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import tree_sitter

from mistral_lsp.languages.base import Language
from mistral_lsp.types import Span

Region = Literal["code", "comment", "string"]
CHECKPOINT = 1024
LONGEST_PARSE_SECONDS = 1.0
"""Some broken texts take the square of their length; nobody waits for their tree."""
PIECE = 16_384
SHORT = [bytes((byte,)) for byte in range(256)]
"""Pieces of one byte, which live on, so that nobody need give them back."""
LINE_ENDS = (b"\n", b"\r")
CAPTURE = "definition"
NAME = re.compile(r"[\w$]+")
CALLABLE = re.compile("function|method|constructor|lexical|variable|field")
"""In the kinds of nodes whose insides nobody else can name, in every grammar."""
WRAPPING_FIELDS = ("definition", "declaration", "declarator", "type")
LONGEST_WAY_TO_A_NAME = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """A definition: where it stands, and the lines that introduce it (its signature)."""

    span: Span
    header: Span


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition by name, and the names of those around it, outermost first."""

    name: str
    within: tuple[str, ...]
    scope: Scope


class SyntaxTree:
    """The tree of one text. It is never changed: `updated` gives the tree of the next text."""

    def __init__(
        self,
        language: Language,
        parser: tree_sitter.Parser,
        text: str,
        tree: tree_sitter.Tree,
        units: _Units,
    ):
        """Use `parse`; this only keeps what it made."""
        self._language = language
        self._parser = parser
        self._text = text
        self._tree = tree
        self._units = units

    def updated(self, text: str) -> SyntaxTree | None:
        """The tree of `text`, parsed anew only where it differs from this one's text; None where
        that takes too long.
        """
        start, old_end, new_end = changed_range(self._text, text)
        units = _Units(text)
        tree = self._tree.copy()
        first = units.byte(start)
        old_last, new_last = self._units.byte(old_end), units.byte(new_end)
        place = units.point(first)
        tree.edit(
            first,
            old_last,
            new_last,
            place,
            self._units.point(old_last, first, place),
            units.point(new_last, first, place),
        )
        new_tree = _parsed(self._parser, units.data, tree)
        return new_tree and SyntaxTree(self._language, self._parser, text, new_tree, units)

    def region(self, offset: int) -> Region:
        """What the cursor at `offset` stands in. Just behind a closing quote is code again."""
        place = self._units.byte(offset)
        node = self._tree.root_node.descendant_for_byte_range(max(0, place - 1), place)
        while node is not None:
            if node.type in self._language.interpolation_nodes and node.start_byte < place:
                return "code"
            if node.type in self._language.comment_nodes and node.start_byte < place:
                return "comment" if self._holds_comment(node, place) else "code"
            if node.type in self._language.string_nodes and node.start_byte < place < node.end_byte:
                return "string"
            node = node.parent
        return "code"

    def _holds_comment(self, node: tree_sitter.Node, place: int) -> bool:
        # A line comment goes on at its very end, unless it has the line's end in it; a block
        # comment is over behind its last mark.
        if place != node.end_byte:
            return place < node.end_byte
        data = self._units.data
        closed = _block_comment(self._language).fullmatch(data, node.start_byte, place)
        return closed is None and not data.endswith(LINE_ENDS, 0, place)

    def scopes(self, offset: int) -> list[Scope]:
        """The definitions around `offset`, outermost first; those that have a signature."""
        place = self._units.byte(offset)
        line_start = self._units.data.rfind(b"\n", 0, place) + 1
        if self._language.closes_by_indentation:
            # A body ends at its last word; what follows belongs to it as long as it is indented.
            place = len(self._units.data[:place].rstrip())
        node = self._tree.root_node.descendant_for_byte_range(max(0, place - 1), place)
        found = []
        while node is not None:
            if node.type in self._language.definition_nodes and self._reaches(node, line_start):
                found.append(self._scope(node))
            node = node.parent
        return [scope for scope in reversed(found) if scope.header.start < scope.header.end]

    def _reaches(self, node: tree_sitter.Node, line_start: int) -> bool:
        """Whether a definition goes on in the line at `line_start`, as far as indentation tells."""
        if not self._language.closes_by_indentation or node.start_byte >= line_start:
            return True
        line = self._units.data[line_start:].partition(b"\n")[0]
        return len(line) - len(line.lstrip()) > node.start_point.column

    def _scope(self, node: tree_sitter.Node) -> Scope:
        body = node.child_by_field_name("body")
        inner = node.child_by_field_name("definition") or node.child_by_field_name("declaration")
        if body is None and inner is not None:
            body = inner.child_by_field_name("body")
        if body is None and self._language.body_nodes:
            body = _first(node, self._language.body_nodes)
        start = self._units.offset(node.start_byte)
        end = self._units.offset(node.end_byte)
        header_end = self._units.offset(body.start_byte) if body is not None else end
        return Scope(Span(start, end), Span(start, header_end))

    def count_errors(self) -> int:
        """How many nodes are errors, or tokens that the parser had to make up."""
        nodes = [self._tree.root_node]
        count = 0
        while nodes:
            node = nodes.pop()
            count += node.is_error or node.is_missing
            nodes += [child for child in node.children if child.has_error]
        return count

    def definitions(self) -> list[Definition]:
        """What the file defines by name, in order, but for what is local to a function."""
        found: list[Definition] = []
        around: list[tuple[tree_sitter.Node, str]] = []
        named: set[int] = set()
        if not self._language.definition_nodes or self._parser.language is None:
            return found
        query = _definitions(self._language, self._parser.language)
        nodes = tree_sitter.QueryCursor(query).captures(self._tree.root_node).get(CAPTURE, [])
        for node in sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte)):
            while around and around[-1][0].end_byte <= node.start_byte:
                around.pop()
            name = _name(node)
            # An export or a decorator has the name of what it wraps, which comes next.
            if name is None or name.start_byte in named:
                continue
            named.add(name.start_byte)
            text = self._units.data[name.start_byte : name.end_byte].decode("utf-8", "replace")
            is_local = any(CALLABLE.search(outer.type) for outer, _ in around)
            if NAME.fullmatch(text) and not is_local:
                outer_names = tuple(outer for _, outer in around)
                found.append(Definition(text, outer_names, self._scope(node)))
            around.append((_unwrapped(node), text))
        return found

    def definition_starts(self, span: Span) -> list[int]:
        """Where definitions begin within `span`, at any depth, in order."""
        first, last = self._units.byte(span.start), self._units.byte(span.end)
        starts = {
            self._units.offset(node.start_byte)
            for node in _walk(self._tree.root_node, first, last)
            if node.type in self._language.definition_nodes and first <= node.start_byte < last
        }
        return sorted(starts)


@cache
def _definitions(language: Language, grammar: tree_sitter.Language) -> tree_sitter.Query:
    kinds = " ".join(f"({kind})" for kind in sorted(language.definition_nodes))
    query: tree_sitter.Query = tree_sitter.Query(grammar, f"[{kinds}] @{CAPTURE}")
    return query


def _unwrapped(node: tree_sitter.Node) -> tree_sitter.Node:
    inner = node.child_by_field_name("definition") or node.child_by_field_name("declaration")
    return node if inner is None else inner


def _name(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The node that names a definition: its own or that of what it wraps or declares."""
    for _ in range(LONGEST_WAY_TO_A_NAME):
        name = node.child_by_field_name("name")
        if name is not None:
            return name
        if node.named_child_count == 0:
            return node if "identifier" in node.type else None
        wrapped = (node.child_by_field_name(field) for field in WRAPPING_FIELDS)
        node = next((inner for inner in wrapped if inner), None) or node.named_children[0]
    return None


def parse(language: Language, text: str) -> SyntaxTree | None:
    """The tree of `text`; None for a language without a grammar, or where it takes too long."""
    parser = _parser(language)
    if parser is None:
        return None
    units = _Units(text)
    tree = _parsed(parser, units.data, None)
    return tree and SyntaxTree(language, parser, text, tree, units)


def _parsed(
    parser: tree_sitter.Parser, data: bytes, old: tree_sitter.Tree | None
) -> tree_sitter.Tree | None:
    """What the parser makes of `data`; None after LONGEST_PARSE_SECONDS."""
    end = time.perf_counter() + LONGEST_PARSE_SECONDS
    view = memoryview(data)
    given: list[bytes] = []

    def piece(offset: int, _: tree_sitter.Point) -> bytes:
        if len(view) - offset <= 1:
            return SHORT[view[offset]] if offset < len(view) else b""
        given.append(bytes(view[offset : offset + PIECE]))
        return given[-1]

    def is_late(offset: int, has_error: bool) -> bool:
        return time.perf_counter() > end

    try:
        if old is None:
            return parser.parse(piece, progress_callback=is_late)
        return parser.parse(piece, old, progress_callback=is_late)
    except ValueError:
        parser.reset()  # or it would go on with this text at the next one
        return None
    finally:
        _release(given)


def _release(given: list[bytes]) -> None:
    """Gives up the references to pieces of text that tree_sitter (up to 0.26.1) takes and never
    gives back: 70 kB with every key in a file of 120 kB. A piece that it was never given tells how
    many there are without.
    """
    given.append(bytes(2))
    *counts, usual = [sys.getrefcount(piece) for piece in given]
    for piece, count in zip(given, counts):
        if count > usual:
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(piece))


def changed_range(old: str, new: str) -> tuple[int, int, int]:
    """The smallest (start, old end, new end) outside which the two texts are the same."""
    limit = min(len(old), len(new))
    start = 0
    for step in (4096, 64, 1):
        while start + step <= limit and old[start : start + step] == new[start : start + step]:
            start += step
    rest = limit - start
    tail = 0
    for step in (4096, 64, 1):
        while tail + step <= rest and (
            old[len(old) - tail - step : len(old) - tail]
            == new[len(new) - tail - step : len(new) - tail]
        ):
            tail += step
    return start, len(old) - tail, len(new) - tail


def _walk(root: tree_sitter.Node, first: int, last: int) -> Iterator[tree_sitter.Node]:
    """The named nodes between two bytes. Without recursion: data can be nested thousands deep."""
    left = [*root.named_children]
    while left:
        node = left.pop()
        if node.end_byte > first and node.start_byte < last:
            yield node
            left += node.named_children


def _first(root: tree_sitter.Node, kinds: frozenset[str]) -> tree_sitter.Node | None:
    """The first node of these kinds within `root`, in the order of the text."""
    left = root.children[::-1]
    while left:
        node = left.pop()
        if node.type in kinds:
            return node
        left += reversed(node.children)
    return None


@cache
def _parser(language: Language) -> tree_sitter.Parser | None:
    """A language's parser, loaded when the first file needs it. An installation whose grammar is
    missing or of another format costs the tree, not the file.
    """
    if not language.grammar:
        return None
    module, function = language.grammar.split(":")
    try:
        grammar = getattr(importlib.import_module(module), function)
        return tree_sitter.Parser(tree_sitter.Language(grammar()))
    except (ImportError, AttributeError, ValueError):
        return None


@cache
def _block_comment(language: Language) -> re.Pattern[bytes]:
    return re.compile(language.block_comment.encode(), re.DOTALL)


class _Units:
    """Turns str offsets into UTF-8 bytes and back; free where the text is ASCII."""

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
        if self._ascii:
            return offset
        mark = offset // CHECKPOINT
        rest = self._text[mark * CHECKPOINT : offset]
        return self._bytes[mark] + len(rest.encode("utf-8", "surrogatepass"))

    def offset(self, byte: int) -> int:
        if self._ascii:
            return byte
        # The last mark is the text's end, which may lie within a chunk.
        mark = min(bisect_right(self._bytes, byte), len(self._bytes) - 1) - 1
        rest = self.data[self._bytes[mark] : byte]
        return mark * CHECKPOINT + len(rest.decode("utf-8", "surrogatepass"))

    def point(self, byte: int, start: int = 0, known: tuple[int, int] = (0, 0)) -> tuple[int, int]:
        """The row and the column (in bytes) of a byte, counted on from `start` at `known`."""
        rows = self.data.count(b"\n", start, byte)
        if rows == 0:
            return known[0], known[1] + byte - start
        return known[0] + rows, byte - (self.data.rfind(b"\n", start, byte) + 1)
