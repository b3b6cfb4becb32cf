"""Makes copies of the embedded model with changed headers."""

from __future__ import annotations

import struct
from pathlib import Path

from mistral_lsp.models import store

NAME = b"mistral-lsp-tiny-fim"
LICENCE = b"apache-2.0"


def text(value: bytes) -> bytes:
    """Encodes a string as GGUF."""
    return struct.pack("<Q", len(value)) + value


def named(path: Path, name: bytes) -> Path:
    """Writes a copy of the embedded model with another name, which must not be longer.

    The licence text is padded, so that the file's size stays the same.
    """
    whole = store.locate("").read_bytes()
    start = whole.index(text(NAME))
    end = whole.index(text(LICENCE), start)
    between = whole[start + 8 + len(NAME) : end]
    licence = LICENCE.ljust(len(LICENCE) + len(NAME) - len(name))
    behind = whole[end + 8 + len(LICENCE) :]
    path.write_bytes(b"".join((whole[:start], text(name), between, text(licence), behind)))
    assert path.stat().st_size == len(whole), "a name is no longer than its own"
    return path


def with_number(path: Path, key: str, number: int) -> Path:
    """Writes a copy of the embedded model with a changed 32-bit number in its header."""
    whole = bytearray(store.locate("").read_bytes())
    at = whole.index(text(key.encode())) + 8 + len(key)
    assert whole[at : at + 4] == struct.pack("<I", 4)
    whole[at + 4 : at + 8] = struct.pack("<I", number)
    path.write_bytes(whole)
    return path
