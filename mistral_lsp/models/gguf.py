"""Reads the header of a GGUF file, with bounds, and says what is wrong with a bad one.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
A header is untrusted input: every length is checked against the file before anything is read.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mistral_lsp.models.marks import MARKS
from mistral_lsp.types import UserError

KEPT_ARRAY = 1_000_000
LARGEST_COUNT = 10_000_000
TEXTLESS_KINDS = (2, 3)
"""Of tokens: unknown and control."""
ALIGNMENT = 32

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
_STRING, _ARRAY = 8, 9

# Elements and bytes of one block of each ggml tensor type.
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

_SPECIAL_KEYS = {
    "bos": ("bos_token_id",),
    "eos": ("eos_token_id",),
    "eot": ("eot_token_id",),
    "fim_prefix": ("fim_pre_token_id", "prefix_token_id"),
    "fim_suffix": ("fim_suf_token_id", "suffix_token_id"),
    "fim_middle": ("fim_mid_token_id", "middle_token_id"),
    "file_sep": ("fim_sep_token_id",),
    "repo_name": ("fim_rep_token_id",),
}


_PIECES = {spelling.encode() for spelling in MARKS}


class BadModelFile(UserError):
    """The file can't be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says, as far as it is needed here.

    `specials` maps our names of the special tokens to their ids, `spelt` to how they are written;
    "bos" is among them where a prompt begins with it. `controls` holds every id that is a mark and
    no text, none of which may ever be shown to a user.
    """

    name: str
    architecture: str
    context_length: int
    sliding_window: int
    specials: dict[str, int]
    spelt: dict[str, str]
    controls: frozenset[int]


def read_header(path: Path) -> Header:
    """Reads and checks the header of the model file at `path`.

    Raises BadModelFile for a file that is missing, unreadable, no GGUF, truncated or malformed.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size < 24:
                raise BadModelFile(f"{path} is no GGUF file: it is only a few bytes long.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(path, data).header()
    except OSError as error:
        raise BadModelFile(
            f"The model file {path} can't be read ({error.strerror}). "
            "Check the setting mistralLsp.model, or leave it empty for the embedded model."
        ) from error


class _Reader:
    def __init__(self, path: Path, data: mmap.mmap):
        self.path = path
        self.data = data
        self.at = 0

    def header(self) -> Header:
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
        tensors, pairs = self.count(), self.count()
        metadata = {}
        for _ in range(pairs):
            key = self.string()
            metadata[key] = self.value(self.scalar("<I"))
        self.check_tensors(tensors, metadata.get("general.alignment", ALIGNMENT))
        return _header(metadata)

    def check_tensors(self, tensors: int, alignment: Any) -> None:
        end = 0
        for _ in range(tensors):
            self.string()
            dimensions = self.scalar("<I")
            if dimensions > 8:
                raise self.malformed()
            shape = [self.scalar("<Q") for _ in range(dimensions)]
            kind, offset = self.scalar("<I"), self.scalar("<Q")
            elements, size = _BLOCKS.get(kind, (1, 0))
            end = max(end, offset + math.prod(shape) // elements * size)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise self.malformed()
        start = -(-self.at // alignment) * alignment
        if start + end > len(self.data):
            raise BadModelFile(
                f"{self.path} is truncated: {len(self.data):,} bytes of {start + end:,}. "
                "Download or copy it again."
            )

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY and depth < 2:
            return self.array(depth)
        raise self.malformed()

    def array(self, depth: int) -> Any:
        """Numbers as a tuple; of texts only the marks, each with its place."""
        kind, count = self.scalar("<I"), self.count()
        if kind in _SCALARS:
            form = _SCALARS[kind]
            raw = self.take(count * struct.calcsize(form))
            if count > KEPT_ARRAY:
                return None
            return struct.unpack(f"<{count}{form[1]}", raw)
        found = {}
        for number in range(count):
            if kind != _STRING:
                self.value(kind, depth + 1)
            elif (piece := self.take(self.scalar("<Q"))) in _PIECES:
                found[piece.decode()] = number
        return found

    def count(self) -> int:
        count: int = self.scalar("<Q")
        if count > LARGEST_COUNT:
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
        return self.data[self.at - size : self.at]

    def malformed(self) -> BadModelFile:
        return BadModelFile(f"{self.path} has a malformed GGUF header. Download or copy it again.")


def _header(metadata: dict[str, Any]) -> Header:
    architecture = str(metadata.get("general.architecture", ""))
    specials: dict[str, int] = {}
    for name, keys in _SPECIAL_KEYS.items():
        for key in keys:
            value = metadata.get(f"tokenizer.ggml.{key}")
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                specials.setdefault(name, value)
    spelt = _spelt(metadata, specials)
    kinds = metadata.get("tokenizer.ggml.token_type")
    numbered = enumerate(kinds if isinstance(kinds, tuple) else ())
    controls = {number for number, kind in numbered if kind in TEXTLESS_KINDS}
    controls |= set(specials.values())
    if not _begins_with_bos(metadata):
        specials.pop("bos", None)
    return Header(
        name=str(metadata.get("general.name", "")),
        architecture=architecture,
        context_length=_whole(metadata.get(f"{architecture}.context_length")),
        sliding_window=_whole(metadata.get(f"{architecture}.attention.sliding_window")),
        specials=specials,
        spelt=spelt,
        controls=frozenset(controls),
    )


def _spelt(metadata: dict[str, Any], specials: dict[str, int]) -> dict[str, str]:
    """How the marks are written; those that the metadata do not name are taken from there."""
    pieces = metadata.get("tokenizer.ggml.tokens")
    spelt = {}
    for piece, number in pieces.items() if isinstance(pieces, dict) else ():
        name = MARKS[piece]
        if specials.setdefault(name, number) == number:
            spelt[name] = piece
    return spelt


def _begins_with_bos(metadata: dict[str, Any]) -> bool:
    """As llama.cpp decides it: SentencePiece vocabularies do, where nothing else is said."""
    said = metadata.get("tokenizer.ggml.add_bos_token")
    return said if isinstance(said, bool) else metadata.get("tokenizer.ggml.model") != "gpt2"


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
