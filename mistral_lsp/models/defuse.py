"""Splits the marks in a text, so that a server can't read them as special tokens.

A mark has one of a few shapes, such as <|name|>, and one of many names. In a shape that also occurs
in code, only known names are split: `x[INDEX]` and `<name>` are left as they are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from mistral_lsp.models.marks import MARKS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# A match of these two can't contain the start of another one, so none is missed.
_ANGLED = re.compile(r"<[^\s<>]{1,80}>")
_BRACKETED = re.compile(r"\[/?[\w@]{1,40}\]")
_ANY_NAME = re.compile(
    r"<[|｜].+[|｜]>"
    r"|<\[[\w▁-]+\]>"
    r"|<(?:unused|extra_id_|reserved_|SPECIAL_|TOKENS_UNUSED_|mask_)\d+>"
    r"|</?(?:seed|minimax):[\w:]+>"
)
"""Matches marks that are recognised by their shape, whatever their name."""
_OTHERS = re.compile(r"<</?SYS>>|\|<end>\||>>[A-Z]{4,16}<<|\|\|\|[A-Z_]{4,24}\|\|\|")


class _Names(msgspec.Struct, forbid_unknown_fields=True):
    tags: list[str]
    html: list[str]
    bracketed: list[str]
    barred: list[str]
    whole: list[str]


@lru_cache(maxsize=1)
def _names() -> _Names:
    from importlib import resources  # slow to import

    text = resources.files("mistral_lsp.models").joinpath("spellings.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=_Names)


@lru_cache(maxsize=1)
def spellings() -> tuple[str, ...]:
    """Lists the marks of all known model families, as they are written."""
    names = _names()
    found = [*MARKS, *names.whole, *(f"<|{name}|>" for name in names.barred)]
    for slash in ("", "/"):
        found += [f"<{slash}{name}>" for name in names.tags]
        found += [f"[{slash}{name}]" for name in names.bracketed]
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1)
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """Gives the spellings of all marks, and of those that are also HTML tags."""
    html = [f"<{slash}{name}>" for name in _names().html for slash in ("", "/")]
    return frozenset(spellings()), frozenset(html)


def defused(text: str) -> str:
    """Inserts a blank into each mark of a text, so that no mark is left."""
    for shape in (_ANGLED, _BRACKETED, _OTHERS):
        text = shape.sub(_parted, text)
    return text


def cuts(marks: Iterable[str]) -> re.Pattern[str] | None:
    """Gives a pattern for the places at which to cut a text, so that no piece contains a mark.

    Gives None if `marks` is empty.
    """
    places = [f"(?<={re.escape(mark[0])})(?={re.escape(mark[1:])})" for mark in marks]
    return re.compile("|".join(places)) if places else None


def _parted(found: re.Match[str]) -> str:
    mark = found[0]
    known, html = _known()
    if mark in html:
        return f"{mark[:-1]} {mark[-1]}"  # with the blank there, it is still HTML
    if mark in known or _ANY_NAME.fullmatch(mark) or found.re is _OTHERS:
        return f"{mark[0]} {mark[1:]}"
    return mark
