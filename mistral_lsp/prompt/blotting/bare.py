"""Finds values without quotes that are given to a name which calls for a secret."""

from __future__ import annotations

import re

from mistral_lsp.prompt.blotting.assignments import CLOSED
from mistral_lsp.prompt.blotting.line import Deeper, Line
from mistral_lsp.prompt.blotting.names import Kind
from mistral_lsp.prompt.blotting.values import Manner

_W = r"[ \t]{0,40}"
_GIVEN = re.compile(rf"{CLOSED}(?P<gap>{_W})(?P<set>::?=|=>|\?=|\+=|[:=](?!=)){_W}(?:[&!][\w!-]{{1,30}}[ \t]{_W})?")
_KEY = re.compile(
    r"""(?ix)[\s\-?*>|+]*
    (?:(?:export|set|local|readonly|declare|typeset|env|arg|setx|setenv|let|var)[ \t]+(?:-\w+[ \t]+)*)*
    [\w.$:\[\]/@{]*["'({]?"""
)
"""What stands before a key that begins its line."""
_BESIDE = re.compile(r"(?i)(?:^|[\s;&(\"'])(?:env|arg|setenv|setx|set[ \t]+-\w+|set[ \t]+-\w+[ \t]+-\w+)[ \t]+$")
_FLAG = re.compile(r"(?:^|[\s\"'`(\[=,])--?[\w.-]*$")
_TO_END = re.compile(r".*?(?=[ \t]+[#;][^\n]*$|$)", re.DOTALL)
_TO_BLANK = re.compile(r"(?:[^\s\"'`;|&<>()\\]|\\.)+")
_TO_PART = re.compile(r"[^;\"'`<>|]+")
_TO_MARK = re.compile(r"[^\s;&\"'`<>,#}\])\\|]+")
_ELEMENT = re.compile(r"(?:[^<>]{0,120})>(?:<!\[CDATA\[)?([^<]*)")
_NUMBER = re.compile(r"\d{4,}")
_BLOCK = re.compile(rf"{CLOSED}{_W}:{_W}(?:[&!][\w!-]{{1,30}}[ \t]{_W})?[|>][-+\d]{{0,2}}{_W}(?:#.*)?$")
_IS = re.compile(rf"[\"'`]?[ \t](?:is|was|=|:){_W}(?:now |set to )?")
_DEFAULT = re.compile(r":?[-=+?]")


def read_bare(line: Line, start: int, end: int, kind: Kind, name: str) -> int:
    """Hides what the name at `start` to `end` is given without quotes; tells where to read on."""
    text = line.text
    if _BLOCK.match(text, end) and line.style != "code":
        line.after = Deeper(line.indentation)
        return len(text)
    before = text[max(0, start - 80) : start]
    opener = before[-1:] if before.strip() else ""
    if opener == "<" or before.endswith("</") or (opener == ":" and "<" in before):
        return _read_element(line, end, kind, name)
    if _FLAG.search(before):
        return _read_flag(line, end, kind, name)
    if before.endswith("${"):
        return _read_default(line, end, kind, name)
    if _BESIDE.search(before) and text[end : end + 1] in (" ", "\t"):
        return _read(line, end, _TO_END, kind, name, Manner.BARE)
    return _read_given(line, start, end, kind, name, before)


def _read(
    line: Line, place: int, pattern: re.Pattern[str], kind: Kind, name: str, manner: Manner
) -> int:
    value = pattern.match(line.text, place)
    if value is None or not line.hide_if_secret(*value.span(), kind, name, manner):
        return place
    return value.end()


def _read_element(line: Line, end: int, kind: Kind, name: str) -> int:
    """<password>value</password>, of any language of marks."""
    value = _ELEMENT.match(line.text, end)
    if value is None or not line.hide_if_secret(*value.span(1), kind, name, Manner.BARE):
        return end
    return value.end()


def _read_flag(line: Line, end: int, kind: Kind, name: str) -> int:
    """--password value, or --password=value."""
    text = line.text
    if text[end : end + 1] not in ("=", " "):
        return end
    place = end + 1
    if text.startswith(("-", "="), place):
        return end
    bare = line.style in ("config", "shell") and kind is Kind.PASSWORD
    manner = Manner.BARE if bare or text[end] == "=" else Manner.PROSE
    return _read(line, place, _TO_MARK, kind, name, manner)


def _read_default(line: Line, end: int, kind: Kind, name: str) -> int:
    """${PASSWORD:-value} and ${password:value}"""
    sign = _DEFAULT.match(line.text, end) or re.compile(":").match(line.text, end)
    if sign is None:
        return end
    return _read(line, sign.end(), re.compile(r"[^}\"']+"), kind, name, Manner.BARE)


def _read_given(line: Line, start: int, end: int, kind: Kind, name: str, before: str) -> int:
    glue = _GIVEN.match(line.text, end)
    if glue is None:
        said = _IS.match(line.text, end)
        if said and kind is Kind.PASSWORD and (line.style == "prose" or line.is_comment(start)):
            return _read(line, said.end(), _TO_MARK, kind, name, Manner.PROSE)
        return end
    pattern, manner = _extent(line, start, end, glue, kind, name, before)
    if pattern is None:
        return end
    return _read(line, glue.end(), pattern, kind, name, manner)


def _extent(
    line: Line, start: int, end: int, glue: re.Match[str], kind: Kind, name: str, before: str
) -> tuple[re.Pattern[str] | None, Manner]:
    """How far a value reaches, and how it is to be judged, by where it stands."""
    tight = glue["set"] == "=" and not glue["gap"] and glue.end() == glue.end("set")
    if before[-1:] in ("?", "&") and tight:
        return _TO_MARK, Manner.BARE
    if line.is_quoted(start) and line.text[start - 1 : start] not in ("'", '"') or _is_part(line, start, end, glue):
        return (_TO_PART if ";" in line.text else _TO_MARK), Manner.BARE if tight or ";" in line.text else Manner.PROSE
    if line.style == "code":
        if line.text[start - 1 : start] == '"' and kind is Kind.PASSWORD:
            return _NUMBER, Manner.BARE
        shell = tight and name.isupper()
        comment = line.is_comment(start)
        return (_TO_MARK if shell or comment else None), Manner.PROSE
    if line.style == "prose" or line.is_comment(start):
        return _TO_MARK, Manner.PROSE
    if len(before) < 80 and _KEY.fullmatch(before):
        return (_TO_BLANK if line.style == "shell" else _TO_END), Manner.BARE
    return _TO_MARK, Manner.BARE


def _is_part(line: Line, start: int, end: int, glue: re.Match[str]) -> bool:
    """Whether a string consists of settings, such as "Password=x;Server=y"."""
    quote = line.text[start - 1 : start]
    return quote in ("'", '"', "`", ";") and bool(quote) and line.text[end : end + 1] == "="
