"""Matches globs as in .gitignore.

The time is at most linear in the path's length times the pattern's length. A regular expression
with several `*` would try all ways to divide a name among them, which may take for ever. Here, each
`*` ends at the first place where the text up to the next `*` matches. There is no backtracking, and
still no match is lost. fnmatch in the standard library works in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Union

LONGEST = 1_000
"""Maximum number of characters of a glob. A longer one matches nothing and is reported."""
CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": r"\ -~",
    "punct": r"!-/:-@\[-`{-\~",
    "space": r"\t-\r\ ",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
NAMED_CLASS = re.compile(r"\[:([^\]]*):\]")

Name = Union[str, "re.Pattern[str]", None]
"""Matches one name in a path: a str is compared, a pattern is matched. None, written `**`, matches
any number of names.
"""


class BadGlob(ValueError):
    """Raised if a glob can't be read. The message says why."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob, split at its slashes into `names`.

    `anywhere`: it has only one name, and matches in any folder. `problem` says what is wrong with
    the glob, or is "".
    """

    names: tuple[Name, ...] = ()
    anywhere: bool = False
    negated: bool = False
    only_folders: bool = False
    problem: str = ""

    def matches(self, path: Sequence[str]) -> bool:
        """Whether the glob matches a path, which is given as a list of names."""
        if self.anywhere:
            return _fits(self.names[0], path[-1])
        if len(path) != len(self.names) and None not in self.names:
            return False
        return len(path) in self.lengths(path)

    def lengths(self, path: Sequence[str]) -> set[int]:
        """Gives the lengths, in names, of all beginnings of the path that the glob matches."""
        if self.anywhere:
            return {length for length, name in enumerate(path, 1) if _fits(self.names[0], name)}
        lengths = {0} if self.names else set()
        for pattern in self.names:
            if not lengths:
                break
            if pattern is None:
                lengths = set(range(min(lengths), len(path) + 1))
            else:
                inside = [length for length in lengths if length < len(path)]
                lengths = {length + 1 for length in inside if _fits(pattern, path[length])}
        return lengths


def _fits(pattern: Name, name: str) -> bool:
    if isinstance(pattern, str):
        return pattern == name
    return pattern is None or pattern.fullmatch(name) is not None


def decide(globs: Sequence[Glob], path: Sequence[str], is_folder: bool) -> bool | None:
    """Whether the globs select a path. The last glob that matches decides; None if none matches.

    Assumes that the globs select no folder around the path.
    """
    for glob in reversed(globs):
        if glob.matches(path) and (is_folder or not glob.only_folders):
            return not glob.negated
    return None


def decide_file(globs: Sequence[Glob], path: Sequence[str]) -> bool | None:
    """Whether the globs select a file, or a folder around the file. None if no glob matches."""
    found = [(glob, glob.lengths(path)) for glob in reversed(globs)]
    verdict = None
    for length in range(1, len(path) + 1):
        for glob, lengths in found:
            if length in lengths and (length < len(path) or not glob.only_folders):
                if not glob.negated:
                    return True
                verdict = False
                break
    return verdict


def read_lines(lines: Iterable[str], ignore_case: bool = False) -> list[Glob]:
    """Reads the globs in several lines, one in each line."""
    return [glob for line in lines if (glob := read(line, ignore_case)) is not None]


def read(line: str, ignore_case: bool = False) -> Glob | None:
    """Reads the glob in a line. Gives None for a blank line or a comment."""
    line = _without_last_blanks(line)
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    only_folders = line.endswith("/")
    pattern = line[negated : len(line) - only_folders]
    try:
        tokens = _tokens(pattern)
    except BadGlob as error:
        return Glob(problem=str(error))
    names = [_name(tokens, ignore_case) for tokens in _split(tokens)]
    anywhere = "/" not in pattern
    if names[0] == "":
        del names[0]
    if names[-1] is None:  # "a/**" is everything in a, without a itself
        names = [ANY_NAME] if anywhere else [*names, ANY_NAME]
    problem = next((token.problem for token in tokens if token.problem), "")
    return Glob(tuple(names), anywhere, negated, only_folders, problem)


def _without_last_blanks(line: str) -> str:
    """Removes the blanks at a line's end. A blank after a backslash is kept, as in git."""
    kept = line.rstrip(" ")
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return line[: len(kept) + backslashes % 2]


class _Token(NamedTuple):
    """A piece of a glob, as a regular expression.

    `character` is the character if it is a literal.
    """

    expression: str
    character: str = ""
    problem: str = ""


STAR, SLASH, ANY = _Token("*"), _Token("/"), _Token("(?s:.)")
ANY_NAME = re.compile("(?s:.*)")


def _tokens(pattern: str) -> list[_Token]:
    if not pattern:
        raise BadGlob("it names nothing")
    if len(pattern) > LONGEST:
        raise BadGlob(f"it is longer than {LONGEST:,} characters")
    tokens = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        if character == "[":
            token, place = _set(pattern, place + 1)
        elif character in "*?/":
            token, place = {"*": STAR, "?": ANY, "/": SLASH}[character], place + 1
        else:
            character, place = _character(pattern, place)
            token = SLASH if character == "/" else _Token(re.escape(character), character)
        tokens.append(token)
    return tokens


def _character(pattern: str, place: int) -> tuple[str, int]:
    """Reads one character, which may be escaped. Gives it and the place after it."""
    if pattern[place] == "\\":
        place += 1
        if place == len(pattern):
            raise BadGlob("it ends with a backslash")
    return pattern[place], place + 1


def _set(pattern: str, place: int) -> tuple[_Token, int]:
    """Reads a character set, from after its `[`. Gives it and the place after its `]`."""
    begin = place
    outside = pattern[place : place + 1] in {"!", "^"}
    place += outside
    items: list[str] = []
    problem = ""
    while True:
        if place >= len(pattern):
            raise BadGlob(f"nothing closes its [{pattern[begin:]}")
        if pattern[place] == "]" and place > begin + outside:
            break
        named = NAMED_CLASS.match(pattern, place)
        if named:
            if named[1] not in CLASSES:
                raise BadGlob(f"there is no class [:{named[1]}:]")
            items.append(CLASSES[named[1]])
            place = named.end()
            continue
        first, place = _character(pattern, place)
        last = first
        if pattern[place : place + 1] == "-" and pattern[place + 1 : place + 2] not in ("", "]"):
            last, place = _character(pattern, place + 1)
        if first > last:
            problem = f"the range {first}-{last} is empty"
            last = first  # like git: the first character alone
        items.append(f"{re.escape(first)}-{re.escape(last)}")
    return _Token(f"[{'^' if outside else ''}{''.join(items)}]", "", problem), place + 1


def _split(tokens: Sequence[_Token]) -> list[list[_Token]]:
    """Splits a list of tokens at the slashes, into one list for each name."""
    names: list[list[_Token]] = [[]]
    for token in tokens:
        if token is SLASH:
            names.append([])
        else:
            names[-1].append(token)
    return names


def _name(tokens: Sequence[_Token], ignore_case: bool) -> Name:
    if len(tokens) > 1 and all(token is STAR for token in tokens):
        return None
    text = "".join(token.character for token in tokens)
    if len(text) == len(tokens) and not (ignore_case and text.lower() != text.upper()):
        return text
    first, *rest = _between_stars(tokens)
    expression = first
    if rest:
        *middle, last = rest
        for number, piece in enumerate(middle):
            expression += f"(?=(?P<g{number}>(?s:.*?){piece}))(?P=g{number})" if piece else ""
        expression += f"(?s:.*){last}"
    return re.compile(expression, re.IGNORECASE if ignore_case else 0)


def _between_stars(tokens: Sequence[_Token]) -> list[str]:
    pieces = [""]
    for token in tokens:
        if token is STAR:
            pieces.append("")
        else:
            pieces[-1] += token.expression
    return pieces
