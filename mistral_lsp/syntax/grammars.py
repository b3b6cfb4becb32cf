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
SHORTEST_END = 1_500
"""Number of characters of the first end of a text that `has_costly_end` parses alone. Each further
end is twice as long.
"""
COSTLY_SECONDS = 0.25
"""An end of a text is costly only if parsing it takes more than this many seconds of processor
time. For usual code, 30,000 characters take 0.01.
"""
COSTLY_GROWTH = 3.0
"""An end of a text is costly only if parsing it takes more than this many times as long as parsing
an end of half its length. For usual code, the factor is 2.
"""
STOPPED_SECONDS = 0.1
"""Maximum seconds of processor time for parsing an end alone, as far as it can be stopped."""
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


def has_costly_end(language: Language, text: str) -> bool:
    """Whether the parser would block the process for long at the end of a new text.

    At a text's end, the parser recovers from everything left open, in one step. No callback can
    stop this step, and no other thread runs during it. In C, it takes minutes after "a => " 20,000
    times. The time grows at least with the square of the length. So longer and longer ends of the
    text are parsed alone, until one takes long for its length.
    """
    length, before = SHORTEST_END, 0.0
    while length < len(text):
        seconds = _blocked_seconds(language, text[-length:])
        if seconds > max(COSTLY_SECONDS, COSTLY_GROWTH * before):
            return True
        length, before = 2 * length, seconds
    return False


def _blocked_seconds(language: Language, end: str) -> float:
    """Gives the seconds of processor time for parsing the end of a text alone.

    A parse that takes more than STOPPED_SECONDS is stopped, and counts only from then on: a part
    that can be stopped blocks nobody. Alone, an end may take for ever that is harmless in its text.
    """
    begun = time.thread_time()
    tree = parse(language, end, end.encode("utf-8", "replace"), seconds=STOPPED_SECONDS)
    seconds = time.thread_time() - begun
    return seconds if tree is not None else max(0.0, seconds - STOPPED_SECONDS)


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
