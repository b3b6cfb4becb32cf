"""The typed messages between a client and the host, and their encoding.

A frame is the length of its body (4 bytes, big-endian), then the body in MessagePack.
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
from mistral_lsp.types import SCRIPT_VARIABLE, Decoding, EngineError, LoadedModel, Prompt, Usage

LARGEST_FRAME = 8 * 1024 * 1024
"""The most bytes of one frame, enough for the largest file that is read."""
MOST_TEXTS = 1_000_000
MOST_TOKENS = 1 << 20
MOST_LINES = 16
"""The largest allowed `Decoding.line`."""


class Load(msgspec.Struct, frozen=True, tag=True):
    """Asks the host to load a model; answered by `Loaded` or `Failed`.

    If `threads` or `window` is 0, the host chooses the value.

    The last two fields are the client's own options. They say what the host does when its last
    client has left. `keep_loaded_seconds` is taken from that last client, and `remember_windows`
    from the latest `Load`. None leaves an option unset. If both are unset, the host exits with its
    last client.
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
        """Makes the message for `settings`; resolves the model's path."""
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
        """Gives a copy without the client's own options.

        This copy is the same for all clients of one host.
        """
        return msgspec.structs.replace(self, keep_loaded_seconds=None, remember_windows=None)


def name_of(wanted: Load) -> str:
    """Gives the name of the host: a digest of the settings `wanted` and of this installation."""
    serves = (
        mistral_lsp.__version__,
        str(Path(mistral_lsp.__file__).resolve()),
        sys.prefix,
        wanted.without_wishes(),
        os.environ.get(SCRIPT_VARIABLE),
    )
    return hashlib.blake2b(repr(serves).encode(), digest_size=6).hexdigest()


def _resolved(model: str) -> str:
    from mistral_lsp.models import store  # slow to import, and not needed for the embedded model

    return store.resolved(model)


class Count(msgspec.Struct, frozen=True, tag=True):
    """Asks for the token counts of texts; answered by `Counted`."""

    id: int
    texts: Annotated[list[str], Meta(max_length=MOST_TEXTS)]


class Weigh(msgspec.Struct, frozen=True, tag=True):
    """Asks for the token counts of a prompt's parts; answered by `Counted`."""

    id: int
    prompt: Prompt


class Generate(msgspec.Struct, frozen=True, tag=True):
    """Asks for an answer to a prompt. Replies: any number of `Decoded`, then one `Finished`."""

    id: int
    prompt: Prompt
    decoding: Decoding

    def __post_init__(self) -> None:
        """Raises ValueError for a bad `decoding`, also when msgspec decodes a message."""
        most, line = self.decoding.max_tokens, self.decoding.line
        if not 0 <= most <= MOST_TOKENS:
            raise ValueError(f"{most} tokens can't be asked for")
        if line is not None and not 1 <= line <= MOST_LINES:
            raise ValueError(f"there is no line {line} to choose")


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stops a running or waiting generation. `Finished` still follows, once the host is idle."""

    id: int


class Ping(msgspec.Struct, frozen=True, tag=True):
    """A heartbeat. The host answers with `Pong` at once, even while it computes or loads."""


class Leave(msgspec.Struct, frozen=True, tag=True):
    """The client leaves. The host closes the connection; without other clients, the host exits."""


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The host's greeting, with its process id."""

    pid: int


class Pong(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Ping`."""


class Loaded(msgspec.Struct, frozen=True, tag=True):
    """The model is ready."""

    model: LoadedModel


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The model can't be loaded."""

    reason: str


class Counted(msgspec.Struct, frozen=True, tag=True):
    """The token count of each text or part. `error` is "" if counting succeeded."""

    id: int
    counts: list[int]
    error: str = ""


class Decoded(msgspec.Struct, frozen=True, tag=True):
    """A further token of an answer, and the generation's usage so far."""

    id: int
    text: str
    probability: float
    usage: Usage


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The end of a generation; the host is idle. `error` is "" if the generation succeeded."""

    id: int
    usage: Usage
    error: str = ""


Request = Union[Load, Count, Weigh, Generate, Cancel, Ping, Leave]
Reply = Union[Hello, Pong, Loaded, Failed, Counted, Decoded, Finished]

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def write(writer: asyncio.StreamWriter, frame: Request | Reply) -> None:
    """Writes a frame to the buffer. Raises EngineError if the frame is too long or not UTF-8."""
    try:
        body = _encoder.encode(frame)
    except UnicodeEncodeError as error:
        raise EngineError("The text has half a character in it, which is no text.") from error
    if len(body) > LARGEST_FRAME:
        raise EngineError(f"{len(body):,} bytes are too much for the engine at once.")
    writer.write(len(body).to_bytes(4, "big") + body)


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """Reads the host's next frame. Raises IncompleteReadError at the end of the stream."""
    return _replies.decode(await reader.readexactly(await read_size(reader)))


async def read_size(reader: asyncio.StreamReader) -> int:
    """Reads the length of the next frame, in bytes. Raises IncompleteReadError, ConnectionError."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > LARGEST_FRAME:
        raise ConnectionError(f"a frame of {size} bytes is no frame of ours")
    return size


def decode_request(body: bytes) -> Request:
    """Decodes a frame's body. Raises DecodeError, RecursionError."""
    return _requests.decode(body)
