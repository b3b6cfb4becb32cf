"""Detects whether a server's message repeats the API key or the code sent to it.

Texts are compared without blanks and punctuation, so that escaping hides nothing. Percent encoding,
entities, backslash escapes, base64 and hexadecimal digits are decoded first.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

SHARED = 12
"""Characters in a row. A shorter match with the sent code may be a common word."""
SHARED_WITH_KEY = 6
"""Characters in a row. A shorter match reveals no key. A shorter key must match whole."""
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbfav])|(.))", re.DOTALL)
_CODED = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){6,}")


def repeats(said: str, key: str, sent: Iterable[str]) -> bool:
    """Whether a server's message holds part of the key or of a text in `sent`."""
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
    """Gives a request's texts that must not be repeated: all but the model's name."""
    return list(_texts([value for name, value in body.items() if name != "model"]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        numbers = [str(inner) for inner in value if isinstance(inner, int)]
        yield " ".join(numbers)  # token ids stand for code, too
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
    """Yields the message as it is, and with possible encodings decoded."""
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
    """Decodes base64 from each of the four offsets at which its first group may begin."""
    coded = coded.replace("-", "+").replace("_", "/")
    for start in range(4):
        groups = coded[start : start + (len(coded) - start) // 4 * 4]
        yield base64.b64decode(groups).decode("latin-1")
