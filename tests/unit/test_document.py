"""Compares a document's text after edits with a reference implementation that splices strings."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies
from lsprotocol import types

from bench.soak.mirror import Mirror
from mistral_lsp import document as document_module, languages
from mistral_lsp.document import LINE, Document
from mistral_lsp.server import convert
from mistral_lsp.syntax import grammars, trees

TEXT = strategies.text(alphabet="ab \n\r\t\x0c\u2028é日🦀é", max_size=30)
PLACE = strategies.tuples(strategies.integers(0, 6), strategies.integers(0, 8))
EDITS = strategies.lists(strategies.tuples(PLACE, PLACE, TEXT), max_size=6)
PYTHON = languages.find("python")


def position(line: int, character: int) -> dict[str, int]:
    return {"line": line, "character": character}


def make(text: str, language=PYTHON) -> Document:
    return Document("file:///a.py", "a.py", language, 1, text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@settings(max_examples=150, deadline=None)
@given(text=TEXT, edits=EDITS)
def test_edits_give_the_same_text_and_tree_as_from_scratch(encoding, text, edits) -> None:
    document, mirror = make(text), Mirror(text)
    for start, end, new in edits:
        first, last = min(start, end), max(start, end)
        mirror.splice(position(*first), position(*last), new, encoding)
        first, last = (
            convert.place(document, types.Position(*place), encoding) for place in (first, last)
        )
        document.replace(first, last, new)
        document.version += 1
        snapshot = document.snapshot()
        text = re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", mirror.text))
        assert document.text == mirror.text
        assert snapshot.text == text
        assert list(snapshot.lines) == LINE.findall(text)
        fresh = trees.parse(PYTHON, text)
        assert [snapshot.tree.region(place) for place in range(len(text) + 1)] == [
            fresh.region(place) for place in range(len(text) + 1)
        ]


@given(text=TEXT, encoding=strategies.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_offsets_come_back_from_positions(text, encoding) -> None:
    snapshot = make(text).snapshot()
    for offset in range(len(snapshot.text) + 1):
        span = convert.to_range(snapshot, convert.Span(offset, offset), encoding)
        assert convert.offset(snapshot, span.start, encoding) == offset


@given(old=TEXT, new=TEXT)
def test_changed_range_holds_all_that_differs(old, new) -> None:
    start, old_end, new_end = trees.changed_range(old, new)
    assert old[:start] == new[:start]
    assert old[old_end:] == new[new_end:]
    assert old[:start] + new[start:new_end] + old[old_end:] == new


def test_a_position_past_the_text_is_none_and_past_a_line_its_end() -> None:
    snapshot = make("ab\ncd").snapshot()
    assert convert.offset(snapshot, types.Position(2, 0), "utf-16") is None
    assert convert.offset(snapshot, types.Position(0, 99), "utf-16") == 2
    assert make("ab\n").snapshot().line_count() == 2
    assert make("").snapshot().line_count() == 1


def test_a_file_too_large_to_parse_still_takes_edits() -> None:
    document = make("x" * 1_000_000)
    document.replace((0, 500_000), (0, 500_000), "y")
    document.version += 1
    snapshot = document.snapshot()
    assert snapshot.tree is None
    assert snapshot.text[499_999:500_002] == "xyx"


def test_a_file_that_grows_too_large_is_refused_until_it_is_smaller() -> None:
    document = make("x\n" * 900_000)
    document.replace((0, 0), (0, 0), "y\n" * 200_000)
    document.version += 1
    assert document.snapshot().refusal == "the file is too large (2,200,000 characters)"
    assert document.snapshot().text == ""
    document.replace((0, 0), (200_000, 0), "")
    document.version += 1
    assert not document.snapshot().refusal
    assert document.snapshot().text == "x\n" * 900_000


def test_a_file_that_is_opened_too_large_takes_a_whole_text_again() -> None:
    document = make("x" * 3_000_000)
    document.replace((0, 0), (0, 0), "y")
    document.version += 1
    assert "open it again" in document.snapshot().refusal
    document.set_text("x = 1\n")
    document.version += 1
    assert not document.snapshot().refusal
    assert document.snapshot().text == "x = 1\n"


@pytest.mark.parametrize(
    ("text", "end"), [("a\r\nb\r\n", "\r\n"), ("a\rb", "\r"), ("a\nb\r\n", "\n"), ("a", "\n")]
)
def test_a_snapshot_has_line_feeds_and_remembers_the_files_own_ends(text, end) -> None:
    snapshot = make(text).snapshot()
    assert snapshot.text == text.replace("\r\n", "\n").replace("\r", "\n")
    assert snapshot.line_end == end
    assert [snapshot.line(0), snapshot.line_count()] == [
        "a",
        3 if text[-1] in "\r\n" else text.count("b") + 1,
    ]


def test_a_character_may_come_in_halves() -> None:
    document = make("x = ''\n")
    for column, half in ((5, "\ud83d"), (6, "\ude00")):
        place = convert.place(document, types.Position(0, column), "utf-16")
        document.replace(place, place, half)
        document.version += 1
        assert document.snapshot().text.encode()
    assert document.snapshot().text == "x = '\U0001f600'\n"


def test_the_same_version_of_another_text_is_another_snapshot() -> None:
    document = make("a = 1\n")
    snapshot = document.snapshot()
    assert document.is_current(snapshot)
    document.replace((0, 0), (0, 0), "b")
    assert not document.is_current(snapshot)
    assert not make("a = 1\n").is_current(snapshot)


def test_a_definition_at_the_end_of_a_text_with_wide_characters_ends_there() -> None:
    text = "# é\ndef f("
    tree = trees.parse(PYTHON, text + "):\n    pass")
    (scope,) = tree.scopes(len(text) + 8)
    assert (scope.span.end, scope.header.end) == (len(text) + 11, len(text) + 7)


def test_a_text_that_takes_too_long_to_parse_has_no_tree_and_is_tried_once(monkeypatch) -> None:
    monkeypatch.setattr(grammars, "LONGEST_PARSE_SECONDS", 0.05)
    document = make("return a + b" * 20_000)
    assert document.snapshot().tree is None
    tried = []
    monkeypatch.setattr(trees, "parse", lambda *given: tried.append(given))
    document.replace((0, 0), (0, 0), "x")
    document.version += 1
    assert document.snapshot().tree is None and tried == []
    monkeypatch.undo()
    document.set_text("x = 1\n")
    document.version += 1
    assert document.snapshot().tree is not None, "the parser is as good as new"


@pytest.mark.parametrize(
    ("seconds", "has_tree"),
    [((9.0,), True), ((9.0, 9.0, 0.0, 9.0, 9.0), True), ((9.0, 9.0, 9.0), False)],
)
def test_one_slow_edit_costs_no_tree_and_three_in_a_row_do(monkeypatch, seconds, has_tree) -> None:
    """One slow edit may be chance: a garbage collection can run in the middle of any parse."""
    document = make("a = 1\n")
    document.snapshot().tree  # noqa: B018
    usual = trees.SyntaxTree.updated
    now = 0.0
    waits = iter(seconds)

    def updated(tree: trees.SyntaxTree, text: str) -> trees.SyntaxTree | None:
        nonlocal now
        found = usual(tree, text)
        now += next(waits)
        return found

    monkeypatch.setattr(trees.SyntaxTree, "updated", updated)
    monkeypatch.setattr(document_module, "time", SimpleNamespace(thread_time=lambda: now))
    for _ in seconds:
        document.replace((0, 0), (0, 0), "x")
        document.version += 1
        tree = document.snapshot().tree
    assert (tree is not None) is has_tree
