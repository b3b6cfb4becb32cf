"""The host's side of a client's connection: reads requests and sends replies, within limits.

A confused or malicious client loses its own connection, and harms no other client. The memory for a
client is bounded. A frame's body must arrive within `FRAME_SECONDS`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from mistral_lsp.engine import frames

logger = logging.getLogger(__name__)

MOST = 256
"""The most connections open at the same time."""
MOST_UNREAD = 4 * 1024 * 1024
"""The most bytes of replies in a client's send buffer. A client with more is disconnected."""
FRAME_SECONDS = 10.0
LARGE = 256 * 1024
"""The size in bytes above which a frame is large.

At most `LARGE_AT_ONCE` large frames are received at the same time.
"""
LARGE_AT_ONCE = 4


class Confused(Exception):
    """Raised when a client breaks the protocol."""


class Crowd:
    """The state shared by all connections: who is connected, and the limit on large frames."""

    def __init__(self) -> None:
        self.numbers = 0
        self.present: set[Connection] = set()
        self.turn = asyncio.Semaphore(LARGE_AT_ONCE)

    @property
    def is_full(self) -> bool:
        """Whether the maximum number of connections is reached."""
        return len(self.present) >= MOST


class Connection:
    """A client's connection. No other connection ever has the same `number`."""

    def __init__(
        self, crowd: Crowd, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Wraps a new connection's streams; sends nothing."""
        crowd.numbers += 1
        self.number = crowd.numbers
        self._crowd = crowd
        self._reader = reader
        self._writer = writer

    @contextmanager
    def until_it_goes(self) -> Iterator[None]:
        """Closes the connection at the end of the `with` block.

        Suppresses connection errors and protocol errors in the block, and logs the protocol errors.
        """
        self._crowd.present.add(self)
        try:
            yield
        except (EOFError, ConnectionError):
            pass
        except (Confused, msgspec.DecodeError, RecursionError) as error:
            logger.warning("a client is left: %s", error)
        finally:
            self._crowd.present.discard(self)
            self._writer.close()

    async def request(self) -> frames.Request:
        """Reads the next request. Raises exceptions that `until_it_goes` handles."""
        size = await frames.read_size(self._reader)
        if size > LARGE:
            async with self._crowd.turn:
                return frames.decode_request(await self._body(size))
        return frames.decode_request(await self._body(size))

    async def _body(self, size: int) -> bytes:
        abort = self._writer.transport.abort
        late = asyncio.get_running_loop().call_later(FRAME_SECONDS, abort)
        try:
            return await self._reader.readexactly(size)
        finally:
            late.cancel()

    def send(self, reply: frames.Reply) -> None:
        """Sends a reply. Disconnects a client with more than `MOST_UNREAD` bytes unread."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > MOST_UNREAD:
            logger.warning("a client is left: it takes no answers")
            transport.abort()
            return
        frames.write(self._writer, reply)
