"""The typed messages between the server and the engine's host, and how they go over a stream.

A frame is four bytes of length (big-endian) and that many bytes of MessagePack.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path
from typing import Annotated, Union

import msgspec
from msgspec import Meta

import mistral_lsp
from mistral_lsp.config import Settings
from mistral_lsp.types import SCRIPT_VARIABLE, EngineError, LoadedModel, Prompt, Usage

LARGEST_FRAME = 8 * 1024 * 1024
"""Bytes; more than the largest file that is looked at has."""
MOST_TEXTS = 1_000_000
MOST_TOKENS = 1 << 20
MOST_LINES = 16
"""Of the likeliest, that one may be chosen from."""


class Load(msgspec.Struct, frozen=True, tag=True):
    """Load a model; answered by Loaded or Failed. `threads` 0 and `window` 0 fit the machine.

    The last two are wishes for the end of the host's life, None where there is none: it heeds the
    client that goes last. A host of whom nobody wished anything goes with its last client.
    """

    engine: str
    model: str
    window: int
    threads: int
    gpu_layers: int
    keep_loaded_seconds: int | None = None
    remember_windows: bool | None = None

    @classmethod
    def of(cls, settings: Settings) -> Load:
        """What the settings ask for; whoever means the same file names it so."""
        return cls(
            settings.engine,
            _resolved(settings.model) if settings.model else "",
            settings.window,
            settings.threads,
            settings.gpu_layers,
            settings.keep_loaded_seconds,
            settings.remember_windows,
        )

    def without_wishes(self) -> Load:
        """What one host serves to all of its clients, whatever else they wish."""
        return msgspec.structs.replace(self, keep_loaded_seconds=None, remember_windows=None)


def name_of(wanted: Load) -> str:
    """What the host is called that serves what is wanted, by the same installation as this one."""
    serves = (
        mistral_lsp.__version__,
        str(Path(mistral_lsp.__file__).resolve()),
        sys.prefix,
        wanted.without_wishes(),
        os.environ.get(SCRIPT_VARIABLE),
    )
    return hashlib.blake2b(repr(serves).encode(), digest_size=6).hexdigest()


def _resolved(model: str) -> str:
    from mistral_lsp.models import store  # takes long enough to be felt by who wants the embedded

    return store.resolved(model)


class Count(msgspec.Struct, frozen=True, tag=True):
    """Count tokens; answered by Counted."""

    id: int
    texts: Annotated[list[str], Meta(max_length=MOST_TEXTS)]


class Weigh(msgspec.Struct, frozen=True, tag=True):
    """Count the tokens of a prompt's parts; answered by Counted."""

    id: int
    prompt: Prompt


class Generate(msgspec.Struct, frozen=True, tag=True):
    """Answer a prompt; answered by any number of Decoded and one Finished. One in the `background`
    ends early, with an error, where anybody wants an answer that is not.
    """

    id: int
    prompt: Prompt
    max_tokens: Annotated[int, Meta(ge=0, le=MOST_TOKENS)]
    background: bool = False

    def __post_init__(self) -> None:
        """Also called for one that comes from outside."""
        if not 0 <= self.prompt.line <= MOST_LINES:
            raise ValueError(f"there is no line {self.prompt.line} to choose")


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop a generation, running or waiting; its Finished still comes, once the host is idle."""

    id: int


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Asks for a sign of life; answered at once by Pong, whatever is computed or loaded."""


class Leave(msgspec.Struct, frozen=True, tag=True):
    """The client goes; the host ends the connection and, where it has no other client, itself."""


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The host's first word: its process."""

    pid: int


class Pong(msgspec.Struct, frozen=True, tag=True):
    """The host is there."""


class Loaded(msgspec.Struct, frozen=True, tag=True):
    """The model is ready."""

    model: LoadedModel


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The model can't be loaded."""

    reason: str


class Counted(msgspec.Struct, frozen=True, tag=True):
    """Tokens of each text or part; or `error`, which is "" unless that failed."""

    id: int
    counts: list[int]
    error: str = ""


class Decoded(msgspec.Struct, frozen=True, tag=True):
    """One more token, and what the generation has cost up to it."""

    id: int
    text: str
    probability: float
    usage: Usage


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The generation is over and the host idle. `error` is "" unless it failed."""

    id: int
    usage: Usage
    error: str = ""


Request = Union[Load, Count, Weigh, Generate, Cancel, Ping, Leave]
Reply = Union[Hello, Pong, Loaded, Failed, Counted, Decoded, Finished]

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def write(writer: asyncio.StreamWriter, frame: Request | Reply) -> None:
    """Sends a frame; the stream buffers it. Raises EngineError for one that can't be sent."""
    try:
        body = _encoder.encode(frame)
    except UnicodeEncodeError as error:
        raise EngineError("The text has half a character in it, which is no text.") from error
    if len(body) > LARGEST_FRAME:
        raise EngineError(f"{len(body):,} bytes are too much for the engine at once.")
    writer.write(len(body).to_bytes(4, "big") + body)


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """The next frame from the host. Raises IncompleteReadError at the end of the stream."""
    return _replies.decode(await reader.readexactly(await read_size(reader)))


async def read_size(reader: asyncio.StreamReader) -> int:
    """How long the next frame is. Raises IncompleteReadError, ConnectionError."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > LARGEST_FRAME:
        raise ConnectionError(f"a frame of {size} bytes is no frame of ours")
    return size


def decode_request(body: bytes) -> Request:
    """The request in a frame's bytes. Raises DecodeError, RecursionError."""
    return _requests.decode(body)
