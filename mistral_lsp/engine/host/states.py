"""Keeps prompts' KV states on disk, so that the next start need not read the prompts again.

States are kept only if the user asks for it, since a state contains the code of its prompt. The
folder and its files are private to the user, and bounded in size. Damaged files are skipped, and so
are files of other models.

A file consists of a digest of all that follows, the header's length (4 bytes, big-endian), the
header as MessagePack, and the state in the backend's format.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mistral_lsp.inference.shelf import Kept
from mistral_lsp.system.files import write_private
from mistral_lsp.system.folders import cache_folder

logger = logging.getLogger(__name__)

ROOM = 256 * 1024 * 1024
"""Maximum size of all files together, in bytes."""
DIGEST_SIZE = 32


class Header(msgspec.Struct, frozen=True):
    """The model and the tokens of a state; see `Kept`."""

    model: str
    tokens: tuple[int, ...]
    head: int = 0
    age: int = 0


def folder() -> Path:
    """Gives the folder in which states are kept."""
    return cache_folder() / "states"


def write(model: str, states: Sequence[Kept]) -> None:
    """Replaces the states on disk with the last of `states`, as many as fit into `ROOM`."""
    erase()
    try:
        folder().mkdir(mode=0o700, parents=True)
        room = ROOM
        for number, kept in enumerate(reversed(states)):
            body = _body(model, kept)
            room -= len(body)
            if room < 0:
                break
            write_private(folder() / f"{number}.state", body)
    except OSError as error:
        logger.warning("what was read is not kept for the next start: %s", error)
        erase()


def read(model: str) -> list[Kept]:
    """Reads this model's states, the most recently used last."""
    found = []
    for path in sorted(folder().glob("*.state"), reverse=True):
        try:
            kept = _parse(model, path.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            logger.warning("%s is left out: %s", path, error)
            continue
        if kept is not None:
            found.append(kept)
    return found


def erase() -> None:
    """Erases all states on disk."""
    shutil.rmtree(folder(), ignore_errors=True)


def _body(model: str, kept: Kept) -> bytes:
    header = msgspec.msgpack.encode(Header(model, kept.tokens, kept.head, kept.age))
    content = len(header).to_bytes(4, "big") + header + kept.state
    return hashlib.blake2b(content, digest_size=DIGEST_SIZE).digest() + content


def _parse(model: str, body: bytes) -> Kept | None:
    """Decodes a file's bytes. None if they are damaged or belong to another model."""
    digest, content = body[:DIGEST_SIZE], body[DIGEST_SIZE:]
    if hashlib.blake2b(content, digest_size=DIGEST_SIZE).digest() != digest:
        return None
    length = int.from_bytes(content[:4], "big")
    header = msgspec.msgpack.decode(content[4 : 4 + length], type=Header)
    state = bytearray(content[4 + length :])
    return Kept(header.tokens, state, header.head, header.age) if header.model == model else None
