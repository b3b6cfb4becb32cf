"""One client of the host: its requests, one after another, and its replies, within bounds.

A client that is confused, or means harm, costs itself: its connection ends. What it may keep of the
host's memory is bounded, and a frame that has begun has to come to its end.
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
"""Connections at the same time."""
MOST_UNREAD = 4 * 1024 * 1024
"""Bytes of replies that a client has not taken yet."""
FRAME_SECONDS = 10.0
LARGE = 256 * 1024
"""Bytes of a frame from which on only some may be on their way at the same time."""
LARGE_AT_ONCE = 4


class Confused(Exception):
    """A client does what no client of ours does."""


class Crowd:
    """What all connections share: how many there are, and whose turn it is to send much."""

    def __init__(self) -> None:
        """Nobody is there."""
        self.numbers = 0
        self.present: set[Connection] = set()
        self.turn = asyncio.Semaphore(LARGE_AT_ONCE)

    @property
    def is_full(self) -> bool:
        """Whether nobody else is let in."""
        return len(self.present) >= MOST


class Connection:
    """A client; `number` is its own, also among those that are gone."""

    def __init__(
        self, crowd: Crowd, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """It is greeted by whoever takes it."""
        crowd.numbers += 1
        self.number = crowd.numbers
        self._crowd = crowd
        self._reader = reader
        self._writer = writer

    @contextmanager
    def until_it_goes(self) -> Iterator[None]:
        """Ends the connection behind what is done within, and what is done where that ends."""
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
        """The next request. Raises what `until_it_goes` takes for an end."""
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
        """Sends a reply; ends the connection of a client that does not take what it asked for."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > MOST_UNREAD:
            logger.warning("a client is left: it takes no answers")
            transport.abort()
            return
        frames.write(self._writer, reply)
