"""Decides whether a value is a secret, by its text and by how it is written."""

from __future__ import annotations

import re
from enum import Enum

from mistral_lsp.prompt.blotting.names import Kind, is_name, word_set
from mistral_lsp.prompt.blotting.randomness import is_random


class Manner(Enum):
    """How a value is written.

    `QUOTED`: in quotes. `BARE`: without quotes, as in YAML. `PROSE`: in a sentence, where any word
    may follow the name. `COMPARED`: in a comparison with the named variable.
    """

    QUOTED = 1
    BARE = 2
    PROSE = 3
    COMPARED = 4


LEAST = {Kind.KEY: 6, Kind.PASSWORD: 3}
"""Minimum number of characters of a secret. One that is being typed may have fewer."""
LONGEST = 128
"""Maximum number of characters of a value that are read, to limit the time."""

_PLACEHOLDER = re.compile(
    r"""(?ix)
    (?:(?:basic|bearer|token|digest)\s+)?
    (?: \${1,2}[({]{0,2}[\w.:/ -]*[)}]{0,2}             # shell, and half of one
      | (?:[#$@!%]?\{\{?[^{}]*\}{0,2}[\s:;,._/@-]*)+   # templates
      | %[-\d.]*[sdrvq] | %\(?\w*\)?[sd]? | %\w+%      # printf, cmd.exe
      | <[^<>]*>? | \[[\w -]*\] | @\w+@ | :\w+ | \?+
      | [x*.•\#_-]+ | x{3,}[\w-]*
      | (?:env|vault|op|file|arn|ref|secretsmanager|ssm|keyring|kms|sops)[:!][^\s]*
      | (?:~|\.{0,2})/[\w./-]*
      | utf-?(?:8|16|32)|ascii|latin-?1|base64|hex|md5|sha-?\d{1,3}|[hre]s\d{3}|bcrypt|plain
      | include|omit|same-origin|inherit
    )
    """
)
"""Matches a placeholder: a text that a program replaces by the secret, or that says where the
secret is stored.
"""
_WORDS_OF_CODE = word_set(
    """
    none null nil true false yes no on off undefined required optional str string text bytes int
    integer number boolean bool object array any void unknown never auto default char
    varchar const static let var
    """
)
_CALL = re.compile(r"[A-Za-z_][\w.:$>-]*\s*[(\[].*[)\]][;,]?|[\w.]+[(\[{]", re.DOTALL)
_PROSE = re.compile(
    r"(?i)\b(?:your|enter|please|must|invalid|is|are|the|for|required|wrong|incorrect|missing|not|new|"
    r"forgot|reset|change|confirm|repeat|again|choose|type|a|an|to|of)\b"
)
_NAMES = re.compile(r"(?i)pass(?:word|wd|phrase|code)|secret|token|key\b|credential")
_VERSION = re.compile(r"v?\d[\d.,:_-]*[a-z]{0,2}|\d+(?:px|em|ms|[kmgt]i?b|%)|0x[0-9a-f]{1,8}", re.I)
_CHOSEN = re.compile(
    r"[^\W\d_].*\d|\d.*[^\W\d_]|[^\W\d_].*[!@#$%^&*?~+]|[!@#$%^&*?~+].*[^\W\d_]|[a-z][A-Z]"
)


def is_secret(value: str, kind: Kind, name: str, manner: Manner, typed: bool = False) -> bool:
    """Whether `value` is a secret or, if it is being `typed`, may be the beginning of one."""
    value = value.strip()[:LONGEST]
    if kind is Kind.KEY and manner in (Manner.PROSE, Manner.COMPARED):
        return is_drawn(value)
    if not value or _is_placeholder(value):
        return False
    if len(value) < (1 if typed else LEAST[kind]) or (not typed and _is_named_so(value, name)):
        return False
    if manner is Manner.PROSE and not typed:
        return _is_chosen(value)
    if manner is Manner.BARE and (value.lower() in _WORDS_OF_CODE or _CALL.fullmatch(value)):
        return False
    if kind is Kind.KEY:
        return not re.search(r"\s", value) or bool(re.search(r"\d", value))
    return not (_NAMES.search(value) and _PROSE.search(value))


def _is_placeholder(value: str) -> bool:
    return bool(_PLACEHOLDER.fullmatch(value)) and not is_drawn(value)


def _is_named_so(value: str, name: str) -> bool:
    """Whether `value` is a usual name for a secret, or equals the end of `name`."""
    if is_name(value):
        return True
    plain, of = (re.sub(r"[\W_]", "", text).lower() for text in (value, name))
    return of.endswith(plain) if plain else False


def _is_chosen(value: str) -> bool:
    """Whether a word looks like a password that a person has chosen, and not like prose."""
    if len(value) < LEAST[Kind.PASSWORD] or re.search(r"[\s(){}\[\]<>]|://", value):
        return False
    return bool(_CHOSEN.search(value)) and not _VERSION.fullmatch(value)


def is_drawn(value: str) -> bool:
    """Whether a value looks random, as if made by a program."""
    return len(value) >= 8 and not re.search(r"\s", value) and is_random(value[:64], least_sum=2.5)
