"""Parses text with a language's tree-sitter grammar, within a time limit.

A grammar is native code in the server's process, and text is untrusted. `bench/soak/grammars.py`
searches for texts that crash a grammar. `fatal` recognises such texts, and they are not parsed.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
from functools import cache

import tree_sitter

from mistral_lsp.languages.base import Language
from mistral_lsp.syntax import fatal
from mistral_lsp.system.memory import drop_reference

LONGEST_PARSE_SECONDS = 1.0
"""Maximum seconds of processor time for parsing. For some broken texts, the time grows with the
square of their length.
"""
SHORTEST_PART = 1_500
"""Number of characters of the first parts of a text that `would_block` parses alone. Each further
part is twice as long.
"""
COSTLY_SECONDS = 0.25
"""A part of a text is costly only if it blocks for more than this many seconds of processor time.
"""
COSTLY_GROWTH = 3.0
"""A part is costly if it blocks for more than this many times as long as one of half its length.
For usual code, the factor is 2.
"""
COSTLY_PER_CHARACTER = 5e-6
"""A part is costly if it blocks for more than this many seconds per character. Usual code takes
0.3e-6 in all.
"""
STOPPED_SECONDS = 0.05
"""Maximum seconds of processor time for parsing the first parts, as far as the parser can be
stopped. Parts of twice the length get twice the time.
"""
PIECE = 16_384
"""Maximum number of bytes handed to the parser at a time."""
SHORT = [bytes((byte,)) for byte in range(256)]
"""All pieces of one byte. They are never freed, so leaking references to them does no harm."""
_own = threading.local()


def parse(
    language: Language,
    text: str,
    data: bytes,
    old: tree_sitter.Tree | None = None,
    seconds: float | None = None,
) -> tree_sitter.Tree | None:
    """Parses a text, given its UTF-8 as `data`. `old` is the edited tree of the previous text.

    Gives None if there is no grammar, if the text may crash the grammar, or if parsing takes more
    than `seconds` of this thread's processor time. May be called from any thread.
    """
    parser = _parser(language)
    if parser is None or fatal.may_crash(language, text):
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
        parser.reset()  # else the next call would go on with this text
        return None
    finally:
        _release(given)


def would_block(language: Language, text: str) -> bool:
    """Whether the parser would block the process for long on a new text.

    At a text's end, the parser recovers from everything left open, in one step. No callback can
    stop this step, and no other thread runs during it. In C, it takes minutes after "a => " 20,000
    times, and half a minute after 600 times and many lines of comments. So longer and longer parts
    of the text are parsed alone, from its beginning and from its end, until one is costly.
    """
    length, stopped = SHORTEST_PART, 0.0
    before = [0.0, 0.0]
    while length < len(text) and stopped <= LONGEST_PARSE_SECONDS:
        limit = min(LONGEST_PARSE_SECONDS, STOPPED_SECONDS * length / SHORTEST_PART)
        for side, part in enumerate((text[:length], text[-length:])):
            seconds = _seconds_of(language, part, limit)
            blocked = seconds if seconds < limit else seconds - limit
            stopped += min(seconds, limit) if seconds >= limit else 0.0
            usual = min(COSTLY_GROWTH * before[side], COSTLY_PER_CHARACTER * length)
            if blocked > max(COSTLY_SECONDS, usual):
                return True
            before[side] = blocked
        length *= 2
    return stopped > LONGEST_PARSE_SECONDS  # the whole text would take too long as well


def _seconds_of(language: Language, part: str, limit: float) -> float:
    """Gives the seconds of processor time for parsing a part of a text alone.

    The parser is stopped after `limit` seconds if it can be stopped. A part alone may take for ever
    though its text is harmless.
    """
    begun = time.thread_time()
    parse(language, part, part.encode("utf-8", "replace"), seconds=limit)
    return time.thread_time() - begun


def _parser(language: Language) -> tree_sitter.Parser | None:
    """Gives this thread's parser for a language.

    Each thread has its own, because a parser can't parse two texts at a time.
    """
    grammar = grammar_of(language)
    if grammar is None:
        return None
    parsers: dict[str, tree_sitter.Parser] = _own.__dict__.setdefault("parsers", {})
    if language.grammar not in parsers:
        parsers[language.grammar] = tree_sitter.Parser(grammar)
    return parsers[language.grammar]


@cache
def grammar_of(language: Language) -> tree_sitter.Language | None:
    """Loads a language's grammar. Each grammar is loaded only once.

    Gives None if the grammar is missing or has an incompatible version. Files in such a language
    have no syntax tree.
    """
    if not language.grammar:
        return None
    module, function = language.grammar.split(":")
    try:
        return tree_sitter.Language(getattr(importlib.import_module(module), function)())
    except (ImportError, AttributeError, ValueError):
        return None


def _release(given: list[bytes]) -> None:
    """Drops the references to the pieces that tree_sitter leaks (up to version 0.26.1).

    The leak is 70 kB per keystroke in a file of 120 kB. A new piece, which the parser never gets,
    shows how many references are usual.
    """
    given.append(bytes(2))
    *counts, usual = [sys.getrefcount(piece) for piece in given]
    for piece, count in zip(given, counts):
        if count > usual:
            drop_reference(piece)
