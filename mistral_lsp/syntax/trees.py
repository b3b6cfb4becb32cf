"""Syntax trees, which are updated after edits and answer questions about a place in a text.

Only this module and `grammars.py` use tree-sitter. Elsewhere, a place is an offset in the str.
Offsets in UTF-8 bytes, which the grammars use, stay in this file. Broken code has a tree with
errors.

A tree can be as deep and as wide as its text is long, so every method reads only a limited part of
it. No method asks a node for its parent, because tree-sitter would walk down from the root to find
it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Literal

import tree_sitter

from mistral_lsp.languages.base import Language
from mistral_lsp.syntax import grammars
from mistral_lsp.syntax.utf8 import Utf8
from mistral_lsp.types import Span

Region = Literal["code", "comment", "string"]
LINE_ENDS = (b"\n", b"\r")
NAME = re.compile(r"[\w$]+")
CALLABLE = re.compile("function|method|constructor|lexical|variable|field")
"""Matches node types, in every grammar, of definitions whose inner names are local."""
WRAPPING_FIELDS = ("definition", "declaration", "declarator", "type")
LONGEST_WAY_TO_A_NAME = 5
"""Maximum number of levels below a definition that are searched for its name."""
DEEPEST = 1_000
"""Maximum number of a tree's levels that are searched. Nobody writes code that is so deep."""
MOST_AROUND = 32
"""Maximum number of names in `Definition.within`."""
MOST_SEEN = 100_000
"""Maximum number of nodes of a file that are searched for definitions."""
MOST_NEAR = 10_000
"""Maximum number of nodes of a window that are searched for definitions."""
MOST_MARKED = 4_000
"""Maximum number of nodes of a line that are searched for brackets. For a line with more, `marks`
gives None.
"""
BRACKETS = frozenset("()[]{}")
LONGEST_MARK = 3
"""Maximum number of bytes of a token that is searched for brackets. A longer token is assumed to
have none.
"""
LONGEST_PREFIX = 3
"""Maximum number of characters before a string's quote that belong to the opening mark, as in
`rb"`.
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """The range of a whole definition, `span`, and that of its signature, `header`."""

    span: Span
    header: Span


@dataclass(frozen=True, slots=True)
class Definition:
    """A named definition. `within` are the names of the definitions around it, outermost first."""

    name: str
    within: tuple[str, ...]
    scope: Scope


class SyntaxTree:
    """The syntax tree of one text. It never changes: `updated` gives a new tree."""

    def __init__(self, language: Language, text: str, tree: tree_sitter.Tree, units: Utf8):
        self._language = language
        self._text = text
        self._tree = tree
        self._units = units

    def updated(self, text: str, seconds: float | None = None) -> SyntaxTree | None:
        """Gives the tree of `text`, parsing only the parts that differ from this tree's text.

        Gives None if that takes more than `seconds` of processor time.
        """
        start, old_end, new_end = changed_range(self._text, text)
        units = Utf8(text)
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
        new_tree = grammars.parse(self._language, text, units.data, tree, seconds)
        return new_tree and SyntaxTree(self._language, text, new_tree, units)

    def region(self, offset: int) -> Region:
        """Gives the region at `offset`. The place right after a closing quote is code."""
        place = self._units.byte(offset)
        for node in _around(self._tree, max(0, place - 1), place):
            if node.type in self._language.interpolation_nodes and node.start_byte < place:
                return "code"
            if node.type in self._language.comment_nodes and node.start_byte < place:
                return "comment" if self._holds_comment(node, place) else "code"
            if node.type in self._language.string_nodes and node.start_byte < place < node.end_byte:
                return "string"
        return "code"

    def _holds_comment(self, node: tree_sitter.Node, place: int) -> bool:
        # The very end of a line comment is still in it, unless the node includes the line's end. A
        # block comment is over after its closing mark.
        if place != node.end_byte:
            return place < node.end_byte
        data = self._units.data
        closed = _block_comment(self._language).fullmatch(data, node.start_byte, place)
        return closed is None and not data.endswith(LINE_ENDS, 0, place)

    def marks(self, offset: int) -> list[int | str] | None:
        """Lists the brackets in code before `offset` on its line, in order.

        If a string or comment is open at `offset`, the offset of its beginning comes last. Gives
        None if the line has too many nodes, or text that is not a token of the language.
        """
        place = self._units.byte(offset)
        line_start = self._units.data.rfind(b"\n", 0, place) + 1
        marks: list[int | str] = []
        for seen, (node, parent) in enumerate(self._between(line_start, place)):
            begun = self._open_text(node, parent, place)
            if begun is not None:
                return [*marks, begun]
            if seen == MOST_MARKED or (node.is_error and not node.child_count):
                return None
            if not node.child_count:
                marks += self._brackets(node, line_start)
        return marks

    def _between(
        self, first: int, last: int, closed: Collection[int] = ()
    ) -> Iterator[tuple[tree_sitter.Node, str]]:
        """Yields the nodes that overlap the bytes `first` to `last`, each with its parent's type.

        Does not enter strings, comments, and nodes whose id is in `closed`. The caller may add ids
        during the iteration. A tree-sitter query would be simpler, but its time grows with the
        square of the number of a node's children, of which a broken node can have many.
        """
        cursor = self._tree.walk()
        parents = [""]
        while (node := cursor.node) is not None and node.start_byte < last:
            if node.end_byte > first:
                yield node, parents[-1]
                skips = node.id in closed or self._is_text(node)
                if not skips and cursor.goto_first_child_for_byte(first) is not None:
                    parents.append(node.type)
                    continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return
                parents.pop()

    def _brackets(self, leaf: tree_sitter.Node, line_start: int) -> list[str]:
        if leaf.start_byte < line_start or leaf.is_missing or self._is_text(leaf):
            return []
        mark = self._units.data[leaf.start_byte : leaf.end_byte]
        if len(mark) > LONGEST_MARK:
            return []
        return [one for one in mark.decode("utf-8", "replace") if one in BRACKETS]

    def _is_text(self, node: tree_sitter.Node) -> bool:
        """Whether a node is a comment or a single string.

        A node that joins several strings does not count.
        """
        if node.type in self._language.comment_nodes:
            return True
        if node.type not in self._language.string_nodes:
            return False
        first = node.child(0) if node.child_count else None
        return not (first and first.type in self._language.string_nodes)

    def _open_text(self, node: tree_sitter.Node, parent: str, place: int) -> int | None:
        """Gives the offset of a node's beginning, if it is a string or comment open at `place`.

        The node may also be only the opening mark of a string that is never closed.
        """
        start = node.start_byte
        if node.type in self._language.comment_nodes:
            return self._units.offset(start) if self._holds_comment(node, place) else None
        if self._is_text(node):
            last = node.child(node.child_count - 1) if node.child_count else None
            is_open = place < node.end_byte or bool(last and last.is_missing)
            return self._units.offset(start) if is_open else None
        if parent != "ERROR" or node.child_count:
            return None
        start, end = self._units.offset(start), self._units.offset(node.end_byte)
        line_start = self._text.rfind("\n", 0, start) + 1
        for begin in range(max(line_start, start - LONGEST_PREFIX), start + 1):
            if compiled(self._language.atoms).match(self._text, begin):
                return None
            for form in self._language.texts:
                found = compiled(form.begin).match(self._text, begin)
                if found is not None and found.end() == end and not form.is_comment:
                    return begin
        return None

    def scopes(self, offset: int) -> list[Scope]:
        """Lists the definitions around `offset` that have a signature, outermost first."""
        place = self._units.byte(offset)
        line_start = self._units.data.rfind(b"\n", 0, place) + 1
        if self._language.closes_by_indentation:
            # A body's node ends at its last word; indented text after it still belongs to it.
            place = len(self._units.data[:place].rstrip())
        found = [
            self._scope(node)
            for node in _around(self._tree, max(0, place - 1), place)
            if node.type in self._language.definition_nodes and self._reaches(node, line_start)
        ]
        return [scope for scope in reversed(found) if scope.header.start < scope.header.end]

    def _reaches(self, node: tree_sitter.Node, line_start: int) -> bool:
        """Whether a definition includes the line at `line_start`, judged by indentation."""
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

    def count_nodes(self) -> int:
        """Counts the nodes. Each takes about 150 bytes."""
        return self._tree.root_node.descendant_count

    def count_errors(self) -> int:
        """Counts the error nodes, and the missing tokens that the parser has added."""
        nodes = [self._tree.root_node]
        count = 0
        while nodes:
            node = nodes.pop()
            count += node.is_error or node.is_missing
            nodes += [child for child in node.children if child.has_error]
        return count

    def definitions(self) -> list[Definition]:
        """Lists the named definitions of the file in order, except those local to a function."""
        found: list[Definition] = []
        around: list[tuple[tree_sitter.Node, str]] = []
        named: set[int] = set()
        functions: set[int] = set()
        nodes = self._between(0, len(self._units.data), functions)
        for node, _ in islice(nodes, MOST_SEEN):
            if node.type not in self._language.definition_nodes:
                continue
            name = _name(node)
            if name is None:
                continue
            inner = _unwrapped(node)
            if CALLABLE.search(inner.type):
                functions.add(node.id)
            # An export or a decorator has the name of its inner definition, which comes next.
            if name.start_byte in named:
                continue
            named.add(name.start_byte)
            while around and around[-1][0].end_byte <= node.start_byte:
                around.pop()
            text = self._units.data[name.start_byte : name.end_byte].decode("utf-8", "replace")
            if NAME.fullmatch(text):
                outer_names = tuple(outer for _, outer in around)
                found.append(Definition(text, outer_names, self._scope(node)))
            if len(around) < MOST_AROUND:
                around.append((inner, text))
        return found

    def definition_starts(self, span: Span) -> list[int]:
        """Lists the offsets where definitions begin within `span`, at any depth, in order."""
        first, last = self._units.byte(span.start), self._units.byte(span.end)
        starts = {
            node.start_byte
            for node, _ in islice(self._between(first, last), MOST_NEAR)
            if node.type in self._language.definition_nodes and first <= node.start_byte < last
        }
        return sorted(map(self._units.offset, starts))


def parse(language: Language, text: str) -> SyntaxTree | None:
    """Parses `text`.

    Gives None for a language without a grammar, or if parsing is refused or takes too long.
    """
    units = Utf8(text)
    tree = grammars.parse(language, text, units.data)
    return tree and SyntaxTree(language, text, tree, units)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compiles a language's pattern. Each pattern is compiled only once."""
    return re.compile(pattern)


def _around(tree: tree_sitter.Tree, first: int, last: int) -> Iterator[tree_sitter.Node]:
    """Gives the nodes that contain the bytes from `first` to `last`, innermost first."""
    cursor = tree.walk()
    found = [tree.root_node]
    while len(found) < DEEPEST and cursor.goto_first_child_for_byte(first) is not None:
        node = cursor.node
        if node is None or node.start_byte > first or node.end_byte < last:
            break
        found.append(node)
    return reversed(found)


def _unwrapped(node: tree_sitter.Node) -> tree_sitter.Node:
    inner = node.child_by_field_name("definition") or node.child_by_field_name("declaration")
    return node if inner is None else inner


def _name(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """Finds the node with a definition's name.

    The name may be in a definition that this one wraps or declares.
    """
    for _ in range(LONGEST_WAY_TO_A_NAME):
        name = node.child_by_field_name("name")
        if name is not None:
            return name
        if node.named_child_count == 0:
            return node if "identifier" in node.type else None
        wrapped = (node.child_by_field_name(field) for field in WRAPPING_FIELDS)
        node = next((inner for inner in wrapped if inner), None) or node.named_children[0]
    return None


def changed_range(old: str, new: str) -> tuple[int, int, int]:
    """Gives the smallest range that contains all changes from one text to another.

    The result is (start, end in the old text, end in the new text).
    """
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


def _first(root: tree_sitter.Node, kinds: frozenset[str]) -> tree_sitter.Node | None:
    """Finds the first node of one of these types within `root`, in the order of the text."""
    left = root.children[::-1]
    for _ in range(MOST_SEEN):
        if not left:
            break
        node = left.pop()
        if node.type in kinds:
            return node
        left += reversed(node.children)
    return None


@cache
def _block_comment(language: Language) -> re.Pattern[bytes]:
    return re.compile(language.block_comment.encode(), re.DOTALL)
