"""Reads the header of a GGUF file, which is everything before the weights.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
A header is untrusted: every length is checked against the file's size before anything is read.
"""

from __future__ import annotations

import math
import mmap
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mistral_lsp.models.marks import MARKS
from mistral_lsp.types import UserError

LARGEST_HEADER = 128 * 1024 * 1024
"""Maximum number of bytes before the weights. The largest vocabularies take 20 million."""
LARGEST_COUNT = 10_000_000
"""Maximum number of elements of an array."""
MOST_ENTRIES = 65_536
"""Maximum number of tensors in a file, and of its metadata entries."""
MOST_DIMENSIONS = 4
"""Maximum number of dimensions of a tensor. ggml can't store more."""
LARGEST_TENSOR = 1 << 62
"""The number of a tensor's elements must be smaller than this."""
ALIGNMENT = 32
"""Alignment of the weights in bytes, if the header does not set one."""

STRING, ARRAY = 8, 9
_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}

# Elements and bytes of one block, for each ggml tensor type.
_BLOCKS = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 36),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
}

_PIECES = {spelling.encode() for spelling in MARKS}


class BadModelFile(UserError):
    """Raised if a model file can't be used. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array in the metadata.

    `raw` are its numbers, as bytes of the file. Of an array of texts, `marks` are the spelling and
    the index of each mark, and `bytes_at` are the indices of byte tokens. All other texts are left
    out.
    """

    kind: int
    count: int
    raw: bytes = b""
    marks: tuple[tuple[str, int], ...] = ()
    bytes_at: frozenset[int] = frozenset()

    def numbers(self) -> tuple[Any, ...]:
        """Gives the elements of an array of numbers."""
        form = _SCALARS.get(self.kind, "<B")
        return struct.unpack(f"<{len(self.raw) // struct.calcsize(form)}{form[1]}", self.raw)


@dataclass(frozen=True, slots=True)
class Tensor:
    """The description of a tensor in the header. `kind` is ggml's number for its element type."""

    name: str
    shape: tuple[int, ...]
    kind: int


@dataclass(frozen=True, slots=True)
class Content:
    """Everything in a header: the metadata, and the descriptions of the tensors."""

    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]


def read_content(path: Path) -> Content:
    """Reads the header of the model file at `path`.

    Raises BadModelFile for a file that is missing, unreadable, not GGUF, truncated or malformed.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for ever. Pipes and devices are refused.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise BadModelFile(f"{path} can't be read as a model: it is no file.")
            if facts.st_size < 24:
                raise BadModelFile(f"{path} is no GGUF file: it is only a few bytes long.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(path, data).content()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise BadModelFile(
            f"The model file {path} can't be read ({getattr(error, 'strerror', error)}). "
            "Check the setting mistralLsp.model, or leave it empty for the embedded model."
        ) from error


class _Reader:
    def __init__(self, path: Path, data: mmap.mmap):
        self.path = path
        self.data = data
        self.at = 0

    def content(self) -> Content:
        if self.data[:4] != b"GGUF":
            raise BadModelFile(
                f"{self.path} is no GGUF file. Point mistralLsp.model to a file in that format."
            )
        self.at = 4
        version = self.scalar("<I")
        if version not in (2, 3):
            raise BadModelFile(
                f"{self.path} is GGUF version {version}; versions 2 and 3 can be read. "
                "Convert it anew with a current converter."
            )
        tensors, pairs = self.count(MOST_ENTRIES), self.count(MOST_ENTRIES)
        metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key, value = self.string(), self.value(self.scalar("<I"))
            # Libraries differ in their handling of duplicate keys, and of NULs in keys.
            if key in metadata or "\0" in key:
                raise self.malformed()
            metadata[key] = value
        alignment = metadata.get("general.alignment", ALIGNMENT)
        return Content(metadata, self.tensors(tensors, alignment))

    def tensors(self, count: int, alignment: Any) -> tuple[Tensor, ...]:
        found, end = [], 0
        for _ in range(count):
            name, dimensions = self.string(), self.scalar("<I")
            if dimensions > MOST_DIMENSIONS:
                raise self.malformed()
            shape = tuple(self.scalar("<Q") for _ in range(dimensions))
            kind, offset = self.scalar("<I"), self.scalar("<Q")
            elements, size = _BLOCKS.get(kind, (1, 0))
            if not 0 < math.prod(shape) < LARGEST_TENSOR:
                raise self.malformed()
            end = max(end, offset + math.prod(shape) // elements * size)
            found.append(Tensor(name, shape, kind))
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise self.malformed()
        start = -(-self.at // alignment) * alignment
        if start + end > len(self.data):
            raise BadModelFile(
                f"{self.path} is truncated: {len(self.data):,} bytes of {start + end:,}. "
                "Download or copy it again."
            )
        return tuple(found)

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == STRING:
            return self.string()
        if kind == ARRAY and depth < 2:
            return self.array(depth)
        raise self.malformed()

    def array(self, depth: int) -> Array:
        kind, count = self.scalar("<I"), self.count()
        if kind in _SCALARS:
            return Array(kind, count, self.take(count * struct.calcsize(_SCALARS[kind])))
        if kind == STRING:
            return self.texts(count)
        for _ in range(count):
            self.value(kind, depth + 1)
        return Array(kind, count)

    def texts(self, count: int) -> Array:
        marks, bytes_at = [], set()
        for number in range(count):
            piece = self.take(self.scalar("<Q"))
            if piece in _PIECES:
                marks.append((piece.decode(), number))
            elif piece.startswith(b"<0x"):
                bytes_at.add(number)
        return Array(STRING, count, marks=tuple(marks), bytes_at=frozenset(bytes_at))

    def count(self, most: int = LARGEST_COUNT) -> int:
        count: int = self.scalar("<Q")
        if count > most:
            raise self.malformed()
        return count

    def string(self) -> str:
        return self.take(self.scalar("<Q")).decode("utf-8", "replace")

    def scalar(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise BadModelFile(f"{self.path} is truncated. Download or copy it again.")
        self.at += size
        if self.at > LARGEST_HEADER:
            raise self.malformed()
        return self.data[self.at - size : self.at]

    def malformed(self) -> BadModelFile:
        return BadModelFile(f"{self.path} has a malformed GGUF header. Download or copy it again.")
