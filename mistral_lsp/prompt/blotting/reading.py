"""Finds the secrets in a line, including the rest of a value that began in a line above."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from mistral_lsp.prompt.blotting.assignments import PAIRED_LINE, read_assigned
from mistral_lsp.prompt.blotting.bare import read_bare
from mistral_lsp.prompt.blotting.commands import read_places
from mistral_lsp.prompt.blotting.line import (
    Armour,
    Deeper,
    Expected,
    Line,
    Named,
    Paired,
    State,
    Until,
)
from mistral_lsp.prompt.blotting.literals import read_literal
from mistral_lsp.prompt.blotting.names import LONGEST, Kind, kind, may_name
from mistral_lsp.prompt.blotting.randomness import is_random, may_become_random, random_words
from mistral_lsp.prompt.blotting.shapes import begun_keys, issued_keys
from mistral_lsp.prompt.blotting.values import Manner
from mistral_lsp.types import Style

MOST_NAMES = 256
"""Maximum number of secrets' names in one line. All text after them is hidden."""
BEFORE = 80
"""Number of characters before a name that are read to see how the name is used."""
LONG = 400
"""Minimum number of characters of a long line. Results for long lines are kept in a smaller LRU
cache than those for other lines.
"""

Spans = tuple[tuple[int, int], ...]

_NAME = re.compile(r"[^\W\d][\w$]*(?:[.-][\w$]+)*")
_BEGINS = re.compile(r"-{5}BEGIN[A-Z0-9 ]{1,40}PRIVATE KEY[A-Z ]{0,10}-{5}|^Private-Lines:")
_BODY = re.compile(r"[A-Za-z0-9+/=\s\\]*")
_ENDS = re.compile(r"-{5}END")
_ROUND = r"""[\s"'+#/*;|>`.,$-]{0,40}"""
_ARMOURED = re.compile(
    rf"""{_ROUND}(?:[A-Za-z0-9+/=]|\\[nrt])*["'\s+;,\\)`.]*|[A-Z][\w-]{{1,30}}: .{{0,80}}"""
)
_BASE64 = re.compile(
    rf"""{_ROUND}([A-Za-z0-9+/]{{40,}}={{0,2}})(?:\\[nrt]){{0,2}}["'\s+;,\\)`.]*"""
)
_LAST_BASE64 = re.compile(
    rf"""{_ROUND}([A-Za-z0-9+/]{{4,}}={{0,2}})(?:\\[nrt]){{0,2}}["'\s+;,\\)`.]*"""
)
_TYPED_WORD = re.compile(r"[\w+/~.-]{8,}", re.ASCII)
_BEGINNING = re.compile(r"\s*[(\[{+.&]?\s*(?:[\w.]{1,40}\(\s*)?")
_PAIR_OVER = re.compile(r"\s*(?:[}\])]|-\s)")
_PLAIN_VALUE = re.compile(r"\s+((?![\w.-]{1,60}:(?:\s|$))[^\s:#\-{\[][^#]*?)\s*(?:#.*)?$")
_ITEM = re.compile(r"\s*-\s+[\"']?([^\s:\"']+)[\"']?\s*$")


def read_line(text: str, style: Style, cursor: int | None, state: State) -> tuple[Spans, State]:
    """Finds the secrets of a line. Also gives the state after the line.

    `state` is the state after the lines above.
    """
    if cursor is None and state is None:
        return (_kept if len(text) < LONG else _kept_long)(text, style)
    line = Line(text, style, cursor)
    _read(line, _go_on(line, state))
    return _merged(line.found), line.after


def _new(text: str, style: Style) -> tuple[Spans, State]:
    line = Line(text, style)
    _read(line, 0)
    return _merged(line.found), line.after


_kept = lru_cache(maxsize=8_192)(_new)
_kept_long = lru_cache(maxsize=128)(_new)


def _merged(found: Sequence[tuple[int, int]]) -> Spans:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif start < end:
            merged.append((start, end))
    return tuple(merged)


def _go_on(line: Line, state: State) -> int:
    """Hides the rest of a value that began in a line above.

    Gives the offset at which to continue.
    """
    if isinstance(state, Until):
        return _until(line, state)
    if isinstance(state, Deeper):
        return _deeper(line, state)
    if isinstance(state, Expected):
        return _expected(line, state)
    if isinstance(state, Paired):
        return _paired(line, state)
    if isinstance(state, Armour):
        return _armour(line, state)
    return 0


def _until(line: Line, state: Until) -> int:
    text = line.text
    if state.lines == 0:
        return 0
    end = -1 if state.word else text.find(state.closer)
    if state.word and text.strip(" \t\"';,)") == state.closer:
        return len(text)
    if end < 0:
        line.hide(0, len(text))
        line.after = replace(state, lines=state.lines - 1)
        return len(text)
    line.hide(0, end)
    return end + len(state.closer)


def _deeper(line: Line, state: Deeper) -> int:
    text = line.text
    if text.strip() and len(text) - len(text.lstrip()) <= state.indentation:
        return 0
    line.hide(0, len(text))
    line.after = state
    return len(text)


def _expected(line: Line, state: Expected) -> int:
    text = line.text
    beginning = _BEGINNING.match(text)
    literal = read_literal(text, beginning.end()) if beginning else None
    if literal is not None:
        hidden = line.hide_if_secret(
            literal.start, literal.end, state.kind, Manner.QUOTED, state.name
        )
        is_empty = literal.start == literal.end
        if literal.goes_on and (hidden or is_empty):
            line.after = Until(literal.goes_on)
        elif hidden and not text[literal.behind :].strip(" \t+\\.&"):
            line.after = state
        return literal.behind
    plain = _PLAIN_VALUE.match(text) if line.style == "config" else None
    item = (
        _ITEM.match(text) if line.style == "config" and state.name.lower().endswith("s") else None
    )
    if item is not None and state.kind is Kind.PASSWORD:
        line.hide_if_secret(*item.span(1), state.kind, Manner.BARE, state.name)
        line.after = state
        return len(text)
    if plain is None or line.indentation <= state.indentation:
        return 0
    line.hide_if_secret(*plain.span(1), state.kind, Manner.BARE, state.name)
    return len(text)


def _paired(line: Line, state: Paired) -> int:
    text = line.text
    glue = PAIRED_LINE.match(text)
    if glue is None:
        if state.lines and not _PAIR_OVER.match(text):
            line.after = replace(state, lines=state.lines - 1)
        return 0
    literal = read_literal(text, glue.end())
    if literal is not None:
        line.hide_if_secret(literal.start, literal.end, state.kind, Manner.QUOTED, state.name)
        return literal.behind
    if line.style != "code" or glue[0].endswith(">") or ":" in glue[0]:
        tag = text.find("<", glue.end())
        end = len(text) if tag < 0 else tag
        manner = Manner.PROSE if line.style == "code" and ":" in glue[0] else Manner.BARE
        line.hide_if_secret(glue.end(), end, state.kind, manner, state.name)
    return len(text)


def _armour(line: Line, state: Armour) -> int:
    text = line.text
    end = _ENDS.search(text)
    if end is not None:
        line.hide(0, end.start())
        return end.end()
    whole = _ARMOURED.fullmatch(text) if state.head else _LAST_BASE64.fullmatch(text)
    if whole is None:
        return 0
    line.hide(0, len(text))
    line.after = state
    return len(text)


def _read(line: Line, start: int) -> None:
    """Hides a line's own secrets. A value that began in a line above ends at `start`."""
    text = line.text
    _read_armour(line, start)
    small = text.lower()
    if may_name(small):
        _read_names(line, start)
    read_places(line, small)
    line.found += issued_keys(text)
    line.found += random_words(text)
    if line.cursor is not None:
        _read_typed(line)


def _read_names(line: Line, place: int) -> None:
    names = 0
    while found := _NAME.search(line.text, place):
        place = found.end()
        named = _named(line, found)
        if named is None:
            continue
        names += 1
        if names > MOST_NAMES:
            line.hide(place, len(line.text))
            return
        read = read_assigned(line, named)
        if read == place and not isinstance(line.after, Until):
            read = read_bare(line, named)
        place = max(place, read)


def _named(line: Line, found: re.Match[str]) -> Named | None:
    start, end = found.span()
    name = found[0][-LONGEST:]
    of = kind(name)
    if of is Kind.NOTHING:
        return None
    before = line.text[max(0, start - BEFORE) : start]
    return Named(start, end, name, of, before, line.is_prose(start))


def _read_armour(line: Line, start: int) -> None:
    text = line.text
    begins = _BEGINS.search(text, start)
    if begins is not None:
        ends = _ENDS.search(text, begins.end())
        body = _BODY.match(text, begins.end())
        line.hide(begins.end(), ends.start() if ends else body.end() if body else len(text))
        line.after = None if ends else Armour()
        return
    whole = _BASE64.fullmatch(text, start)
    if whole is not None and is_random(whole[1]):
        line.hide(*whole.span(1))
        line.after = Armour(head=False)


def _read_typed(line: Line) -> None:
    """Hides a word at the cursor that may become a key."""
    line.found += (span for span in begun_keys(line.text) if line.is_typed(*span))
    cursor = line.cursor or 0
    if line.style == "code" and not line.quote_at(cursor) and not line.is_prose(cursor):
        return
    for found in _TYPED_WORD.finditer(line.text):
        if line.is_typed(*found.span()) and may_become_random(found[0]):
            line.hide(*found.span())
