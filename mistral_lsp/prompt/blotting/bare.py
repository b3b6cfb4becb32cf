"""Finds values without quotes that are given to a name which calls for a secret."""

from __future__ import annotations

import re

from mistral_lsp.prompt.blotting.assignments import CLOSED, is_value_apart
from mistral_lsp.prompt.blotting.line import Deeper, Line
from mistral_lsp.prompt.blotting.names import Kind
from mistral_lsp.prompt.blotting.values import LONGEST, Manner

_W = r"[ \t]{0,40}"
_TAGS = rf"(?:[&!][\w!-]{{1,30}}[ \t]{_W})?"
_GLUE = re.compile(rf"{CLOSED}(?P<gap>{_W})(?P<set>::?=|::|=>|\?=|\+=|[:=](?!=))(?P<behind>{_W}){_TAGS}")
_KEY = re.compile(
    r"""(?ix)[\s\-?*>|+;#]*
    (?:(?:export|set|local|readonly|declare|typeset|env|arg|let|var)[ \t]+(?:-\w+[ \t]+)*)*
    [\w.$:\[\]/@{-]*["'({]?"""
)
"""What stands before a key that begins its line."""
_TAKES_NEXT = re.compile(r"(?i)(?:^|[\s;&(\"'])(?:env|arg|setenv|setx|set[ \t]+-\w+(?:[ \t]+-\w+)?)[ \t]+$")
_SETS = re.compile(r"(?i)\b(?:config\w*|configure|set|put|add|secrets?|password|wifi|connect|user)\b[^|;\"']{0,60}[ \t/:]$")
_FLAG = re.compile(r"(?:^|[\s\"'`(\[=,])--?[\w.-]{0,40}$")
_ELEMENT = re.compile(rf"{CLOSED}[^<>]{{0,120}}>(?:<!\[CDATA\[)?([^<]*)")
_BLOCK = re.compile(rf"{CLOSED}{_W}:{_W}{_TAGS}[|>][-+\d]{{0,2}}{_W}(?:#.*)?$")
_SAID = re.compile(rf"[\"'`]?[ \t](?:is|was|=|:|\|)[ \t]{_W}(?:(?:now|set to)[ \t])?[\"'`]?")
_PAIRED = re.compile(r"(?i)[^<>]{0,80}?\bvalue[\"']?[ \t]?[=:][ \t]?")
_DEFAULT = re.compile(r":?[-=+?]|:")

_TO_END = re.compile(r".*?(?=[ \t]+[#;][^\n]*$|$)", re.DOTALL)
_TO_BLANK = re.compile(r"(?:[^\s\"'`;|&<>()\\]|\\.)+")
_TO_SEMICOLON = re.compile(r"[^;\"'`<>|\n]+")
_TO_MARK = re.compile(r"[^\s;&\"'`<>,#}\])\\|]+")
_TO_BRACE = re.compile(r"[^}\"']+")
_LAST = re.compile(r"[^\s\"'`<>,(){}\[\]]+(?=[\"'`.,;]{0,2}\s{0,40}(?:\*/|-->)?\s{0,40}$)")
_ALONE = re.compile(r"(?=\S*\d\S*\d|\S*[!?#%@$^~&-])[^\s\"'`()\[\]{},;=<>.]{4,}(?=\s{0,40}(?:#.*)?$)")
_NUMBER = re.compile(r"\d{4,}")
_ONLY = re.compile(r"[ \t]{1,40}([^\s;:={}]+);?[ \t]{0,40}(?:#.*)?$")


def read_bare(line: Line, start: int, end: int, kind: Kind, name: str) -> int:
    """Hides what the name at `start` to `end` is given without quotes; tells where to read on."""
    text = line.text
    before = text[max(0, start - 80) : start]
    if line.style != "code" and _BLOCK.match(text, end):
        line.after = Deeper(line.indentation)
        return len(text)
    for reads in (_read_element, _read_flag, _read_default, _read_beside, _read_paired, _read_given):
        place = reads(line, start, end, kind, name, before)
        if place is not None:
            return place
    return end


def _read(
    line: Line, place: int, pattern: re.Pattern[str], kind: Kind, name: str, manner: Manner
) -> int | None:
    # No more is judged of what may be a long line, over and over, than is looked at.
    seen = pattern.match(line.text, place, place + LONGEST)
    if seen is None or not line.is_secret(*seen.span(seen.lastindex or 0), kind, name, manner):
        return None
    value = pattern.match(line.text, place)
    if value is None:
        return None
    line.hide(*value.span(value.lastindex or 0))
    return value.end()


def _read_element(
    line: Line, start: int, end: int, kind: Kind, name: str, before: str
) -> int | None:
    """<password>value</password>, or <entry key="password">value</entry>."""
    tag = before.rpartition("<")[2] if "<" in before else None
    if tag is None or not (is_value_apart(before) or all(part.isalnum() for part in tag.split(":") if part)):
        return None
    return _read(line, end, _ELEMENT, kind, name, Manner.BARE)


def _read_flag(line: Line, start: int, end: int, kind: Kind, name: str, before: str) -> int | None:
    """--password value, or --password=value."""
    text = line.text
    if text[end : end + 1] not in ("=", " ") or text.startswith(("-", "=", "|"), end + 1):
        return None
    if "-" not in before[-41:] or not _FLAG.search(before):
        return None
    settings = line.style in ("config", "shell") and kind is Kind.PASSWORD
    manner = Manner.BARE if settings or text[end] == "=" else Manner.PROSE
    return _read(line, end + 1, _TO_MARK, kind, name, manner)


def _read_default(
    line: Line, start: int, end: int, kind: Kind, name: str, before: str
) -> int | None:
    """${PASSWORD:-value}, or ${password:value}."""
    sign = _DEFAULT.match(line.text, end)
    if sign is None or not before.endswith("{"):
        return None
    return _read(line, sign.end(), _TO_BRACE, kind, name, Manner.BARE)


def _read_beside(
    line: Line, start: int, end: int, kind: Kind, name: str, before: str
) -> int | None:
    """ENV PASSWORD value, or `password value` where that is all of the line."""
    if line.text[end : end + 1] not in (" ", "\t"):
        return None
    if _TAKES_NEXT.search(before):
        return _read(line, end, _TO_END, kind, name, Manner.BARE)
    if line.style == "shell" and _SETS.search(before):
        return _read(line, end + 1, _TO_BLANK, kind, name, Manner.BARE)
    if line.style == "config" and kind is Kind.PASSWORD:
        manner = Manner.PROSE if before.strip() else Manner.BARE
        return _read(line, end, _ONLY, kind, name, manner)
    return None


def _read_paired(
    line: Line, start: int, end: int, kind: Kind, name: str, before: str
) -> int | None:
    """{name: PASSWORD, value: value}."""
    glue = _PAIRED.match(line.text, end) if is_value_apart(before) else None
    if glue is None:
        return None
    return _read(line, glue.end(), _TO_MARK, kind, name, Manner.BARE)


def _read_given(
    line: Line, start: int, end: int, kind: Kind, name: str, before: str
) -> int | None:
    glue = _GLUE.match(line.text, end)
    in_words = line.is_prose(start)
    if glue is None:
        said = _SAID.match(line.text, end) if in_words and kind is Kind.PASSWORD else None
        return _read(line, said.end(), _TO_MARK, kind, name, Manner.PROSE) if said else None
    for pattern, manner in _extents(line, start, glue, kind, name, before, in_words):
        place = _read(line, glue.end(), pattern, kind, name, manner)
        if place is not None:
            return place
    return None


def _extents(
    line: Line,
    start: int,
    glue: re.Match[str],
    kind: Kind,
    name: str,
    before: str,
    in_words: bool,
) -> list[tuple[re.Pattern[str], Manner]]:
    """How far a value may reach, and how it is to be judged, by where it stands."""
    tight = glue["set"] == "=" and not glue["gap"] and not glue["behind"]
    if before[-1:] in ("?", "&", "#") and tight:
        return [(_TO_MARK, Manner.BARE)]
    if line.quote_at(start) and not glue[0].startswith(("'", '"', "\\")):
        if ";" in line.text:
            return [(_TO_SEMICOLON, Manner.BARE)]
        begins = kind is Kind.PASSWORD and before.endswith(("'", '"'))
        return [(_TO_MARK, Manner.BARE if tight or begins else Manner.PROSE)]
    if in_words:
        found = [(_TO_MARK, Manner.PROSE)]
        return [(_LAST, Manner.BARE), *found] if kind is Kind.PASSWORD else found
    if line.style == "code":
        if before.endswith('"') and kind is Kind.PASSWORD:
            return [(_NUMBER, Manner.BARE)]
        if len(before) < 80 and _KEY.fullmatch(before):  # settings within a program's text
            return [(_ALONE, Manner.PROSE)]
        return [(_TO_MARK, Manner.PROSE)] if tight and name.isupper() else []
    if len(before) < 80 and _KEY.fullmatch(before):
        return [(_TO_BLANK if line.style == "shell" else _TO_END, Manner.BARE)]
    return [(_TO_MARK, Manner.BARE)]
