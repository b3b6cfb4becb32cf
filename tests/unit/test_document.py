"""The text of a document against a reference that splices strings."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings, strategies
from lsprotocol import types

from mistral_lsp import languages, syntax
from mistral_lsp.document import LINE, Document
from mistral_lsp.server import convert
from tests.support.waiting import PATIENCE_SECONDS

TEXT = strategies.text(alphabet="ab \n\r\t\x0c\u2028é日🦀é", max_size=30)
PLACE = strategies.tuples(strategies.integers(0, 6), strategies.integers(0, 8))
EDITS = strategies.lists(strategies.tuples(PLACE, PLACE, TEXT), max_size=6)
PYTHON = languages.find("python")


def make(text: str, language=PYTHON) -> Document:
    return Document("file:///a.py", "a.py", language, 1, text)


def reference_offset(text: str, position: types.Position, encoding: str) -> int:
    """Counts units from the start, as the protocol says, with nothing of ours."""
    lines = LINE.findall(text)
    if position.line >= len(lines):
        return len(text)
    body = lines[position.line].rstrip("\r\n")
    width = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    unit = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    column = 0
    while column < len(body) and len(body[:column].encode(width)) // unit < position.character:
        column += 1
    return sum(map(len, lines[: position.line])) + column


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@settings(max_examples=150, deadline=None)
@given(text=TEXT, edits=EDITS)
def test_edits_give_the_same_text_and_tree_as_from_scratch(encoding, text, edits) -> None:
    document = make(text)
    for start, end, new in edits:
        first, last = types.Position(*min(start, end)), types.Position(*max(start, end))
        begin, stop = (reference_offset(text, place, encoding) for place in (first, last))
        begin, stop = min(begin, stop), max(begin, stop)
        text = text[:begin] + new + text[stop:]
        document.replace(
            convert.place(document, first, encoding), convert.place(document, last, encoding), new
        )
        document.version += 1
        snapshot = document.snapshot()
        assert snapshot.text == text
        assert list(snapshot.lines) == LINE.findall(text)
        fresh = syntax.parse(PYTHON, text)
        assert [snapshot.tree.region(place) for place in range(len(text) + 1)] == [
            fresh.region(place) for place in range(len(text) + 1)
        ]


@given(text=TEXT, encoding=strategies.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_offsets_come_back_from_positions(text, encoding) -> None:
    snapshot = make(text).snapshot()
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue  # between CR and LF is no place
        span = convert.to_range(snapshot, convert.Span(offset, offset), encoding)
        assert convert.offset(snapshot, span.start, encoding) == offset


@given(old=TEXT, new=TEXT)
def test_changed_range_holds_all_that_differs(old, new) -> None:
    start, old_end, new_end = syntax.changed_range(old, new)
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
    document = make("x" * 5_000_000)
    document.replace((0, 2_500_000), (0, 2_500_000), "y")
    document.version += 1
    snapshot = document.snapshot()
    assert snapshot.tree is None
    assert snapshot.text[2_499_999:2_500_002] == "xyx"


def test_a_definition_at_the_end_of_a_text_with_wide_characters_ends_there() -> None:
    text = "# é\ndef f("
    tree = syntax.parse(PYTHON, text + "):\n    pass")
    (scope,) = tree.scopes(len(text) + 8)
    assert (scope.span.end, scope.header.end) == (len(text) + 11, len(text) + 7)


def test_a_text_that_takes_too_long_to_parse_has_no_tree_and_is_tried_once(monkeypatch) -> None:
    monkeypatch.setattr(syntax, "LONGEST_PARSE_SECONDS", 0.05)
    document = make("return a + b" * 150_000)  # minutes of work
    begun = time.perf_counter()
    assert document.snapshot().tree is None
    assert time.perf_counter() - begun < PATIENCE_SECONDS
    tried = []
    monkeypatch.setattr(syntax, "parse", lambda *given: tried.append(given))
    document.replace((0, 0), (0, 0), "x")
    document.version += 1
    assert document.snapshot().tree is None and tried == []
    monkeypatch.undo()
    document.set_text("x = 1\n")
    document.version += 1
    assert document.snapshot().tree is not None, "the parser is as good as new"
