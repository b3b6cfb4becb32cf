"""Tells whether what a server says repeats the key or the code that it was sent.

Compared is what is left of either without blanks and punctuation, so that no escaping hides it, and
what is behind percent signs, entities, backslashes, base64 and hexadecimal digits.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

SHARED = 12
"""Characters in a row that are code, and no word that both happened to use."""
SHARED_WITH_KEY = 6
"""Less tells nobody a key; half of any key is more."""
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbfav])|(.))", re.DOTALL)
_CODED = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){6,}")


def repeats(said: str, key: str, sent: Iterable[str]) -> bool:
    """Whether words of a server hold a part of the key, or of one of the texts that were sent."""
    readings = set(_readings(said))
    told = {_letters(reading) for reading in readings}
    secret = _letters(key)
    if secret and _shares(told, secret, min(SHARED_WITH_KEY, len(secret))):
        return True
    spoken = {_spaced(reading) for reading in readings}
    return any(
        _shares(told, _letters(text), SHARED) or _shares(spoken, _spaced(text), SHARED)
        for text in sent
    )


def texts_in(body: Mapping[str, Any]) -> list[str]:
    """What of a request must not come back: all but the name of the model."""
    return list(_texts([value for name, value in body.items() if name != "model"]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        numbers = [str(inner) for inner in value if isinstance(inner, int)]
        yield " ".join(numbers)  # tokens are code, too
        for inner in value:
            yield from _texts(inner)


def _shares(told: Iterable[str], sent: str, length: int) -> bool:
    return any(
        words[place : place + length] in sent
        for words in told
        for place in range(len(words) - length + 1)
    )


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _spaced(text: str) -> str:
    return " ".join(text.casefold().split())


def _readings(said: str) -> Iterator[str]:
    """What words may stand for."""
    plain = {said, unquote(said), html.unescape(said), _unescaped(said)}
    plain.add(_unescaped(_unescaped(html.unescape(unquote(unquote(said))))))
    for reading in plain:
        yield reading
        for coded in _CODED.findall(reading):
            yield from _decoded(coded)
        for coded in _HEXADECIMAL.findall(reading):
            yield bytes.fromhex(re.sub("[ :]", "", coded)).decode("latin-1")


def _unescaped(text: str) -> str:
    def character(escape: re.Match[str]) -> str:
        number = escape[1] or escape[2]
        return chr(int(number, 16)) if number else " " if escape[3] else escape[4]

    return _ESCAPED.sub(character, text)


def _decoded(coded: str) -> Iterator[str]:
    """What base64 stands for, wherever in it a group of four begins."""
    coded = coded.replace("-", "+").replace("_", "/")
    for start in range(4):
        groups = coded[start : start + (len(coded) - start) // 4 * 4]
        yield base64.b64decode(groups).decode("latin-1")
