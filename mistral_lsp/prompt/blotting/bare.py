"""Finds values without quotes that are assigned to the name of a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mistral_lsp.prompt.blotting.assignments import CLOSED, is_value_apart
from mistral_lsp.prompt.blotting.line import Deeper, Line, Named
from mistral_lsp.prompt.blotting.names import Kind
from mistral_lsp.prompt.blotting.values import LONGEST, Manner

_W = r"[ \t]{0,40}"
_TAGS = rf"(?:[&!][\w!-]{{1,30}}[ \t]{_W})?"
_GLUE = re.compile(
    rf"{CLOSED}(?P<gap>{_W})(?P<set>::?=|::|=>|\?=|\+=|[:=](?!=))(?P<behind>{_W}){_TAGS}"
)
_KEY = re.compile(
    r"""(?ix)[\s\-?*>|+;#]*
    (?:(?:export|set|local|readonly|declare|typeset|env|arg|let|var)[ \t]+(?:-\w+[ \t]+)*)*
    [\w.$:\[\]/@{-]*["'({]?"""
)
"""Matches the text between a line's start and a key."""
_TAKES_NEXT = re.compile(
    r"(?i)(?:^|[\s;&(\"'])(?:env|arg|setenv|setx|set[ \t]+-\w+(?:[ \t]+-\w+)?)[ \t]+$"
)
_SETS = re.compile(
    r"(?i)\b(?:config\w*|set|put|add|secrets?|password|wifi|connect|user)\b[^|;\"']{0,60}[ \t/:]$"
)
_FLAG = re.compile(r"(?:^|[\s\"'`(\[=,])--?[\w.-]{0,40}$")
_ELEMENT = re.compile(rf"{CLOSED}[^<>]{{0,120}}>(?:<!\[CDATA\[)?([^<]*)")
_BLOCK = re.compile(rf"{CLOSED}{_W}:{_W}{_TAGS}[|>][-+\d]{{0,2}}{_W}(?:#.*)?$")
_SAID = re.compile(
    rf"[\"'`]?[ \t]{_W}(?:(?:is|was|=|:|\|)[ \t]{_W})?(?:(?:now|set to)[ \t])?[\"'`]?"
)
_PAIRED = re.compile(r"(?i)[^<>]{0,80}?\bvalue[\"']?[ \t]?[=:][ \t]?")
_DEFAULT = re.compile(r":?[-=+?]|:")

_TO_END = re.compile(r".*?(?=[ \t]+[#;][^\n]*$|$)", re.DOTALL)
_TO_BLANK = re.compile(r"(?:[^\s\"'`;|&<>()\\]|\\.)+")
_TO_SEMICOLON = re.compile(r"[^;\"'`<>|\n]+")
_TO_MARK = re.compile(r"[^\s;&\"'`<>,#}\])\\|]+")
_TO_BRACE = re.compile(r"[^}\"']+")
_LAST = re.compile(r"[^\s\"'`<>,(){}\[\]]+(?=[\"'`.,;]{0,2}\s{0,40}(?:\*/|-->)?\s{0,40}$)")
_ALONE = re.compile(
    r"(?=\S*\d\S*\d|\S*[!?#%@$^~&-])[^\s\"'`()\[\]{},;=<>.]{4,}(?=\s{0,40}(?:#.*)?$)"
)
_NUMBER = re.compile(r"\d{4,}")
_ONLY = re.compile(r"[ \t]{1,40}([^\s;:={}]+);?[ \t]{0,40}(?:#.*)?$")


def read_bare(line: Line, named: Named) -> int:
    """Hides a name's value that is not in quotes. Gives the offset at which to continue."""
    if line.style != "code" and _BLOCK.match(line.text, named.end):
        line.after = Deeper(line.indentation)
        return len(line.text)
    for reads in _WAYS:
        place = reads(line, named)
        if place is not None:
            return place
    return named.end


def _read(
    line: Line, place: int, pattern: re.Pattern[str], named: Named, manner: Manner
) -> int | None:
    # A value is judged by its first LONGEST characters only: a long line may have many names.
    seen = pattern.match(line.text, place, place + LONGEST)
    if seen is None:
        return None
    start, end = seen.span(seen.lastindex or 0)
    value = pattern.match(line.text, place)
    if value is None or not line.is_secret(start, end, named.kind, manner, named.name):
        return None
    line.hide(*value.span(value.lastindex or 0))
    return value.end()


def _read_element(line: Line, named: Named) -> int | None:
    """Reads `<password>value</password>`, or `<entry key="password">value</entry>`."""
    tag = named.before.rpartition("<")[2] if "<" in named.before else None
    if tag is None:
        return None
    is_tag = all(part.isalnum() for part in tag.split(":") if part)
    if not is_tag and not is_value_apart(named):
        return None
    return _read(line, named.end, _ELEMENT, named, Manner.BARE)


def _read_flag(line: Line, named: Named) -> int | None:
    """Reads `--password value`, or `--password=value`."""
    text, end = line.text, named.end
    if text[end : end + 1] not in ("=", " ") or text.startswith(("-", "=", "|"), end + 1):
        return None
    if "-" not in named.before[-41:] or not _FLAG.search(named.before):
        return None
    if text[end] == "=" or (line.style in ("config", "shell") and named.is_password):
        return _read(line, end + 1, _TO_MARK, named, Manner.BARE)
    word = replace(named, kind=Kind.PASSWORD)  # here, a key may be short
    return _read(line, end + 1, _TO_MARK, word, Manner.PROSE)


def _read_default(line: Line, named: Named) -> int | None:
    """Reads `${PASSWORD:-value}`, or `${password:value}`."""
    sign = _DEFAULT.match(line.text, named.end) if named.before.endswith("{") else None
    return _read(line, sign.end(), _TO_BRACE, named, Manner.BARE) if sign else None


def _read_beside(line: Line, named: Named) -> int | None:
    """Reads `ENV PASSWORD value`, or a line that is only `password value`."""
    end = named.end
    if line.text[end : end + 1] not in (" ", "\t"):
        return None
    if _TAKES_NEXT.search(named.before):
        return _read(line, end, _TO_END, named, Manner.BARE)
    if line.style == "shell" and _SETS.search(named.before):
        return _read(line, end + 1, _TO_BLANK, named, Manner.BARE)
    if line.style == "config" and named.is_password:
        manner = Manner.PROSE if named.before.strip() else Manner.BARE
        return _read(line, end, _ONLY, named, manner)
    return None


def _read_paired(line: Line, named: Named) -> int | None:
    """Reads `{name: PASSWORD, value: value}`."""
    glue = _PAIRED.match(line.text, named.end) if is_value_apart(named) else None
    return _read(line, glue.end(), _TO_MARK, named, Manner.BARE) if glue else None


def _read_told(line: Line, named: Named) -> int | None:
    """Reads a value in prose, as in "The password is value"."""
    if not named.in_prose or not named.is_password or named.name == "pass":
        return None
    said = _SAID.match(line.text, named.end)
    return _read(line, said.end(), _TO_MARK, named, Manner.PROSE) if said else None


def _read_given(line: Line, named: Named) -> int | None:
    """Reads `PASSWORD=value`, or `password: value`."""
    glue = _GLUE.match(line.text, named.end)
    for pattern, manner in _extents(line, named, glue) if glue else ():
        place = _read(line, glue.end(), pattern, named, manner) if glue else None
        if place is not None:
            return place
    return None


def _extents(
    line: Line, named: Named, glue: re.Match[str]
) -> Iterator[tuple[re.Pattern[str], Manner]]:
    """Gives the patterns that may match the value, each with the `Manner` to judge the value by."""
    before = named.before
    is_tight = glue["set"] == "=" and not glue["gap"] and not glue["behind"]
    is_key = len(before) == named.start and _KEY.fullmatch(before) is not None
    if before[-1:] in ("?", "&", "#") and is_tight:
        yield _TO_MARK, Manner.BARE
    elif line.quote_at(named.start) and not glue[0].startswith(("'", '"', "\\")):
        yield _in_string(line, named, is_tight)
    elif named.in_prose:
        if named.is_password:
            yield _LAST, Manner.BARE
        yield _TO_MARK, Manner.PROSE
    elif line.style == "code":
        yield from _in_code(named, is_key, is_tight)
    elif is_key:
        yield _TO_BLANK if line.style == "shell" else _TO_END, Manner.BARE
    else:
        yield _TO_MARK, Manner.BARE


def _in_string(line: Line, named: Named, is_tight: bool) -> tuple[re.Pattern[str], Manner]:
    """Gives the pattern and `Manner` for a value in a string, as in `"Server=x;Password=value"`."""
    if ";" in line.text:
        return _TO_SEMICOLON, Manner.BARE
    begins = named.is_password and named.before.endswith(("'", '"'))
    return _TO_MARK, Manner.BARE if is_tight or begins else Manner.PROSE


def _in_code(
    named: Named, is_key: bool, is_tight: bool
) -> Iterator[tuple[re.Pattern[str], Manner]]:
    """Gives the patterns and Manners for a value in code that is not in quotes."""
    if named.before.endswith('"') and named.is_password:
        yield _NUMBER, Manner.BARE
    elif is_key:
        yield _ALONE, Manner.PROSE
    elif is_tight and named.name.isupper():
        yield _TO_MARK, Manner.PROSE


_WAYS = (
    _read_element,
    _read_flag,
    _read_default,
    _read_beside,
    _read_paired,
    _read_given,
    _read_told,
)
