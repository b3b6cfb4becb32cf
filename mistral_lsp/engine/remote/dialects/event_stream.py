"""Reads AWS's event stream: binary messages with headers, a payload and checksums.

Source: the Amazon Event Stream specification of the Smithy language.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_PRELUDE = struct.Struct(">III")
"""The message's length, its headers' length, and the checksum of these two."""
_CHECKSUM = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""The bytes of a header's value by its type. Values of types 6 and 7 begin with their length."""
_TEXT = 7
LONGEST_MESSAGE = 1 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `headers` has only those that are text."""

    headers: dict[str, str]
    payload: bytes


class Reader:
    """Cuts messages out of the bytes that arrive."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, data: bytes) -> Iterator[Message]:
        """Yields the messages that `data` completes. Raises ValueError for broken ones."""
        self._rest += data
        while len(self._rest) >= _PRELUDE.size:
            length, headers, checksum = _PRELUDE.unpack_from(self._rest)
            if zlib.crc32(self._rest[:8]) != checksum:
                raise ValueError("a broken message")
            if not _PRELUDE.size + headers + _CHECKSUM.size <= length <= LONGEST_MESSAGE:
                raise ValueError("a message of a wrong length")
            if len(self._rest) < length:
                return
            message, self._rest = self._rest[:length], self._rest[length:]
            yield _decoded(message, _PRELUDE.size + headers)


def _decoded(message: bytes, payload: int) -> Message:
    end = len(message) - _CHECKSUM.size
    if (zlib.crc32(message[:end]),) != _CHECKSUM.unpack_from(message, end):
        raise ValueError("a broken message")
    try:
        headers = dict(_headers(message[_PRELUDE.size : payload]))
    except (struct.error, KeyError, IndexError) as error:
        raise ValueError("a message with broken headers") from error
    return Message(headers, message[payload:end])


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(data):
        begin = place + 1
        end = begin + data[place]
        name, kind = data[begin:end], data[end]
        place = end + 1
        if kind in (_TEXT - 1, _TEXT):
            (length,) = _LENGTH.unpack_from(data, place)
            place += _LENGTH.size
        else:
            length = _FIXED[kind]
        if kind == _TEXT:
            yield name.decode(), data[place : place + length].decode()
        place += length
