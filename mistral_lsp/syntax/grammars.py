"""Parses text by a language's grammar: within a deadline, and within what the grammar can bear.

A grammar is native code in the server's process, and text is untrusted. `bench/soak/grammars.py`
looks for texts that a grammar does not survive; such texts are told here, and not parsed.
"""

from __future__ import annotations

import importlib
import re
import sys
import threading
import time
from functools import cache

import tree_sitter

from mistral_lsp.languages.base import Language
from mistral_lsp.system.memory import drop_reference

LONGEST_PARSE_SECONDS = 1.0
"""Some broken texts take the square of their length; nobody waits for their tree."""
PIECE = 16_384
SHORT = [bytes((byte,)) for byte in range(256)]
"""Pieces of one byte, which live on, so that nobody need give them back."""
FAR = 100
BLOCK_MARK = re.compile(r"[-?:](?:[ \t]+|$)")
LINE_END = re.compile(r"[\r\n]")
_own = threading.local()


def parse(
    language: Language,
    text: str,
    data: bytes,
    old: tree_sitter.Tree | None = None,
    seconds: float | None = None,
) -> tree_sitter.Tree | None:
    """The tree of a text, of which `data` is the UTF-8; made from the `old` tree of the text before
    it, where there is one.

    None for a language without a grammar, for a text that the grammar may not survive, and for one
    that takes more than `seconds` of this thread's processor time. Any thread may ask.
    """
    parser = _parser(language)
    if parser is None or (language.most_columns and _columns(text) > language.most_columns):
        return None
    end = time.thread_time() + (LONGEST_PARSE_SECONDS if seconds is None else seconds)
    view = memoryview(data)
    given: list[bytes] = []

    def piece(offset: int, _: tree_sitter.Point) -> bytes:
        if len(view) - offset <= 1:
            return SHORT[view[offset]] if offset < len(view) else b""
        given.append(bytes(view[offset : offset + PIECE]))
        return given[-1]

    def is_late(offset: int, has_error: bool) -> bool:
        return time.thread_time() > end

    try:
        if old is None:
            return parser.parse(piece, progress_callback=is_late)
        return parser.parse(piece, old, progress_callback=is_late)
    except ValueError:
        parser.reset()  # or it would go on with this text at the next one
        return None
    finally:
        _release(given)


def _parser(language: Language) -> tree_sitter.Parser | None:
    """This thread's parser of a language: a parser can't parse two texts at a time."""
    grammar = grammar_of(language)
    if grammar is None:
        return None
    parsers: dict[str, tree_sitter.Parser] = _own.__dict__.setdefault("parsers", {})
    if language.grammar not in parsers:
        parsers[language.grammar] = tree_sitter.Parser(grammar)
    return parsers[language.grammar]


@cache
def grammar_of(language: Language) -> tree_sitter.Language | None:
    """A language's grammar, loaded when the first file needs it. An installation whose grammar is
    missing or of another format costs the tree, not the file.
    """
    if not language.grammar:
        return None
    module, function = language.grammar.split(":")
    try:
        return tree_sitter.Language(getattr(importlib.import_module(module), function)())
    except (ImportError, AttributeError, ValueError):
        return None


def _release(given: list[bytes]) -> None:
    """Gives up the references to pieces of text that tree_sitter (up to 0.26.1) takes and never
    gives back: 70 kB with every key in a file of 120 kB. A piece that it was never given tells how
    many there are without.
    """
    given.append(bytes(2))
    *counts, usual = [sys.getrefcount(piece) for piece in given]
    for piece, count in zip(given, counts):
        if count > usual:
            drop_reference(piece)


def _columns(text: str) -> int:
    """In how many columns a block of YAML could begin: behind a line's blanks, or a `-`, `?`, `:`.

    Each open block has a column of its own, but a sequence may have its key's. So this bounds how
    deep blocks are nested. Where no line is long, the answer is FAR at most, and is not counted.
    """
    lines = LINE_END.split(text)
    if max(map(len, lines), default=0) <= FAR:
        return FAR
    columns: set[int] = set()
    for line in lines:
        columns.add(len(line) - len(line.lstrip(" \t")))
        for mark in BLOCK_MARK.finditer(line):
            columns.update(mark.span())
    return len(columns)
