"""Finds the brackets and quotes open at a place, and which of them a following text closes.

In code before the cursor, the syntax tree tells which brackets and quotes are real. In strings,
comments, answers, and files without a tree, a small lexer decides this, by the language's patterns.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from mistral_lsp.languages.base import NEVER, Language, TextForm

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(PAIRS.values())
LONGEST_LOOK = 2_000
"""Maximum number of characters before the cursor that the lexer reads."""
REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
VALUE_ENDS = ")]}\"'`$_"
"""After one of these or a word, a slash is a division. Elsewhere, it begins a regular expression.
"""
BEFORE_REGEX = re.compile(r"\b(?:return|typeof|case|in|of|when|if|unless|and|or|not)\Z")
LONGEST_KEYWORD = 8
UNKNOWN = TextForm(NEVER, "\0", spans_lines=True)
"""The form of a string whose notation only the syntax tree knows, such as a here document."""


@dataclass(frozen=True, slots=True)
class Open:
    """Something open: a bracket, or a string or comment of a `form`. It is closed by `closer`.

    `holds_code` is for the bracket of an interpolation, which is code within a string.
    """

    closer: str
    form: TextForm | None = None
    holds_code: bool = False


@dataclass(frozen=True, slots=True)
class Closing:
    """A closing mark in a text whose opening mark is before the text.

    `end` is the place after the closing mark.
    """

    end: int
    mark: str


@dataclass(frozen=True, slots=True)
class Nesting:
    """The brackets, strings and comments that are open at a place, the innermost last.

    The first `outer` of them were already open at the start of the line. `before` is the line up to
    the place.
    """

    language: Language
    opened: tuple[Open, ...] = ()
    outer: int = 0
    before: str = ""

    @property
    def on_line(self) -> tuple[Open, ...]:
        """What was opened on the line itself and is still open."""
        return self.opened[self.outer :]

    @property
    def text(self) -> Open | None:
        """The string or comment that contains the nesting's place, or None in code."""
        texts = (one for one in reversed(self.opened) if one.form or one.holds_code)
        innermost = next(texts, None)
        return innermost if innermost and innermost.form else None

    def closers(self) -> str:
        """Gives the marks that close everything opened on the line, except brackets in strings."""
        closers: list[str] = []
        brackets: list[str] = []
        for one in reversed(self.on_line):
            if one.form is None and not one.holds_code:
                brackets.append(one.closer)
                continue
            closers += [*([] if one.form else brackets), one.closer]
            brackets = []
        return "".join([*closers, *brackets])

    def behind(self, text: str) -> Nesting:
        """Gives the nesting at the end of `text`, which begins at this nesting's place."""
        *above, line = text.split("\n")
        if above:
            reader = _Reader(self, "".join(f"{one}\n" for one in above))
            reader.read_all()
            opened = tuple(reader.opened)
            return Nesting(self.language, opened, len(opened)).behind(line)
        reader = _Reader(self, line)
        reader.read_all()
        return replace(self, opened=tuple(reader.opened), before=self.before + line)

    def left_open(self, text: str) -> tuple[Open, ...]:
        """Lists what `text` opens and does not close. It begins at this nesting's place."""
        reader = _Reader(self, text)
        reader.read_all()
        return tuple(reader.opened[reader.known :])

    def closings(self, text: str) -> list[Closing]:
        """Lists the closing marks in `text` for opening marks before it.

        The text begins at this nesting's place. The opening marks may be in `opened`, or further up
        and unknown.
        """
        return list(_Reader(self, text).read())


def at_line(language: Language, line_prefix: str) -> Nesting:
    """Gives the nesting at the end of `line_prefix`, judged by that line alone."""
    return Nesting(language).behind(line_prefix[-LONGEST_LOOK:])


def around(language: Language, text: str, marks: Iterable[int | str], offset: int) -> Nesting:
    """Gives the nesting at `offset`, judged by the `marks` from SyntaxTree.marks.

    The marks are the line's brackets in code. If a string or comment is open, the offset of its
    beginning comes last.
    """
    line_start = text.rfind("\n", 0, offset) + 1
    opened: list[Open] = []
    for mark in marks:
        if isinstance(mark, int):
            return _within(language, text, opened, mark, offset)
        if mark in PAIRS:
            opened.append(Open(PAIRS[mark]))
        elif opened and opened[-1].closer == mark:
            opened.pop()
    return Nesting(language, tuple(opened), 0, text[line_start:offset])


def _within(
    language: Language, text: str, opened: Sequence[Open], mark: int, offset: int
) -> Nesting:
    """Gives the nesting at `offset`, which is in a string or comment that begins at `mark`."""
    line_start = text.rfind("\n", 0, offset) + 1
    enclosing, begun = Open("\0", UNKNOWN), mark
    for form in language.texts:
        found = re.compile(form.begin).match(text, mark, offset)
        if found is not None:
            enclosing, begun = Open(found.expand(form.end), form), found.end()
            break
    begun = min(offset, max(begun, line_start if offset - begun > LONGEST_LOOK else begun))
    before = text[text.rfind("\n", 0, begun) + 1 : begun]
    here = Nesting(language, (*opened, enclosing), before=before)
    return here.behind(text[begun:offset])


class _Reader:
    """The lexer of one text. The first `known` items of `opened` were open before the text."""

    def __init__(self, nesting: Nesting, text: str):
        self.opened: list[Open] = []
        self._texts: list[int] = []  # indexes in `opened` of strings, comments, interpolations
        for one in nesting.opened:
            self._open(one)
        self.known = len(self.opened)
        self._language = nesting.language
        self._text = nesting.before + text
        self._start = len(nesting.before)

    def read_all(self) -> None:
        for _ in self.read():
            pass

    def read(self) -> Iterator[Closing]:
        place = self._start
        while place < len(self._text):
            innermost = self.opened[self._texts[-1]] if self._texts else None
            if innermost is None or innermost.form is None:
                place = yield from self._code(place)
            else:
                place = yield from self._prose(place, innermost.form)

    def _code(self, place: int) -> Generator[Closing, None, int]:
        found = _tokens(self._language).search(self._text, place)
        if found is None:
            return len(self._text)
        kind = found.lastgroup or ""
        mark = found[0]
        if kind.startswith("text"):
            form = self._language.texts[int(kind[4:])]
            begun = re.compile(form.begin).match(self._text, found.start())
            assert begun is not None
            self._open(Open(begun.expand(form.end), form))
        elif kind == "slash":
            return self._slash(found.start())
        elif mark in PAIRS:
            self._open(Open(PAIRS[mark]))
        elif mark in CLOSERS:
            yield from self._close(mark, found.end())
        return found.end()

    def _slash(self, place: int) -> int:
        before = self._text[:place].rstrip()[-LONGEST_KEYWORD:]
        is_value = before[-1:].isalnum() or (before and before[-1] in VALUE_ENDS)
        divides = is_value and not BEFORE_REGEX.search(before)
        regex = None if divides else REGEX.match(self._text, place)
        return place + 1 if regex is None else regex.end()

    def _prose(self, place: int, form: TextForm) -> Generator[Closing, None, int]:
        depth = self._texts[-1]
        closer = self.opened[depth].closer
        found = _inside(form, closer).search(self._text, place)
        if found is None:
            return len(self._text)
        kind = found.lastgroup
        if kind == "code":
            self._open(Open(PAIRS[found[0][-1]], holds_code=True))
        elif kind == "end":
            if depth < self.known and not form.is_comment:
                yield Closing(found.end() - self._start, closer)
            self._drop(depth)
        elif kind == "line":
            self._drop(depth)
        elif kind == "bracket" and depth < self.known:
            # Brackets in the string or comment around the cursor are paired with each other only.
            if found[0] in PAIRS:
                self._open(Open(PAIRS[found[0]]))
            elif len(self.opened) - 1 > depth and self.opened[-1].closer == found[0]:
                yield from self._close(found[0], found.end())
        return found.end()

    def _close(self, mark: str, end: int) -> Iterator[Closing]:
        """Closes the innermost bracket.

        Yields a `Closing` unless the text itself opened the bracket.
        """
        own = len(self.opened) > self.known
        if self.opened and self.opened[-1].closer == mark:
            self._drop(len(self.opened) - 1)
        elif own:
            return
        if not own:
            yield Closing(end - self._start, mark)

    def _open(self, one: Open) -> None:
        if one.form is not None or one.holds_code:
            self._texts.append(len(self.opened))
        self.opened.append(one)

    def _drop(self, depth: int) -> None:
        del self.opened[depth:]
        while self._texts and self._texts[-1] >= depth:
            self._texts.pop()
        self.known = min(self.known, depth)


@cache
def _tokens(language: Language) -> re.Pattern[str]:
    """Gives the pattern of the lexer's tokens in code.

    It matches words, too, to skip them whole.
    """
    texts = [f"(?P<text{number}>{form.begin})" for number, form in enumerate(language.texts)]
    slash = [r"(?P<slash>/)"] if language.has_regex else []
    parts = [f"(?P<atom>{language.atoms})", *texts, *slash, r"(?P<bracket>[()\[\]{}])", r"\w+"]
    return re.compile("|".join(parts))


@cache
def _inside(form: TextForm, closer: str) -> re.Pattern[str]:
    """Gives the pattern of the lexer's tokens in a string or comment."""
    parts = [
        f"(?P<escape>{form.escape})",
        f"(?P<code>{form.code})",
        f"(?P<end>{re.escape(closer)})",
        r"(?P<bracket>[()\[\]{}])",
    ]
    if not form.spans_lines:
        parts.insert(0, r"(?P<line>\n)")
    return re.compile("|".join(parts))
