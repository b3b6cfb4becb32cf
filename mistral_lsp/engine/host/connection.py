"""The host's side of a client's connection: reads requests and sends replies, within limits.

A confused or malicious client only loses its own connection. The memory it can occupy is bounded,
and the body of a frame must arrive within `FRAME_SECONDS`.
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
"""Connections open at the same time."""
MOST_UNREAD = 4 * 1024 * 1024
"""Bytes of replies waiting in the send buffer. A client with more is disconnected."""
FRAME_SECONDS = 10.0
LARGE = 256 * 1024
"""Bytes. Of larger frames, at most `LARGE_AT_ONCE` are received at the same time."""
LARGE_AT_ONCE = 4


class Confused(Exception):
    """A client broke the protocol."""


class Crowd:
    """State shared by all connections: who is connected, and the limit on large frames."""

    def __init__(self) -> None:
        self.numbers = 0
        self.present: set[Connection] = set()
        self.turn = asyncio.Semaphore(LARGE_AT_ONCE)

    @property
    def is_full(self) -> bool:
        """Whether another connection would be too many."""
        return len(self.present) >= MOST


class Connection:
    """One client's connection. Its `number` is never reused for another connection."""

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

        Swallows the block's connection and protocol errors; logs the latter.
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
