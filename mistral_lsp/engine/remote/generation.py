"""A generation by a model server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from typing_extensions import override

from mistral_lsp.engine.base import Generation
from mistral_lsp.engine.remote.failures import ServerError
from mistral_lsp.engine.remote.member import Found
from mistral_lsp.engine.standing import NO_USAGE, Meter
from mistral_lsp.engine.unforeseen import told
from mistral_lsp.types import EngineError, Prompt, Token, Usage

LONGEST_TEXT = 1 << 16
"""Most characters of one answer."""
UNHEARD_SECONDS = 30.0
"""Seconds after a stop. Then the connection is closed, even if the server has sent nothing."""


class RemoteGeneration(Generation):
    """See engine.base.Generation. If a server fails before its first token, the next one is asked.

    llama-server needs about a second to notice that a request was abandoned, if it is queued or its
    prompt is being read. Keys are pressed faster, so abandoned requests would fill its slots.
    Therefore an abandoned request stays open until the server's next chunk or token. The next
    request waits until then, and reuses the part of the prompt read so far.
    """

    def __init__(
        self,
        servers: Sequence[Found],
        prompt: Prompt,
        max_tokens: int,
        meter: Meter,
    ):
        """Begins at once, with the first of `servers`."""
        self._servers = servers
        self._prompt = prompt
        self._max_tokens = max_tokens
        self._meter = meter
        self._begun = False
        self._unheard = False
        self._arrivals: asyncio.Queue[Token | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._end)

    @property
    @override
    def usage(self) -> Usage:
        return self._meter.usage

    async def __aiter__(self) -> AsyncIterator[Token]:
        """Yields tokens until the answer ends or `stop` was called. Raises EngineError."""
        while (token := await self._arrivals.get()) is not None:
            yield token
        if not self._meter.is_stopped:
            self._task.result()

    @override
    def stop(self) -> None:
        """Ends the answer. The connection may stay open until the server's next chunk."""
        if not self._task.done() and not self._meter.is_stopped:
            self._meter.stop()
            self._arrivals.put_nowait(None)
            if self._unheard:
                asyncio.get_running_loop().call_later(UNHEARD_SECONDS, self._task.cancel)
            else:
                self._task.cancel()

    def abandon(self) -> None:
        """Closes the connection at once."""
        self.stop()
        self._task.cancel()

    async def _run(self) -> None:
        for server in self._servers:
            if await self._is_done(server, last=server is self._servers[-1]):
                return

    async def _is_done(self, server: Found, last: bool) -> bool:
        """Asks a server for the answer. False if the next server should be asked."""
        try:
            with told(f"The server at {server.url}"):
                await self._write(server)
        except ServerError as error:
            if not error.lost:
                raise
            server.lose(error)
            if self._begun or last:
                raise
            return False
        return True

    async def _write(self, server: Found) -> None:
        self._meter.usage = NO_USAGE
        most, written = self._max_tokens, 0
        hears_late = not server.model.can_abort
        async with (
            server.turn if hears_late else contextlib.nullcontext(),
            contextlib.aclosing(server.dialect.stream(self._prompt, most)) as pieces,
        ):
            self._unheard = hears_late
            async for piece in pieces:
                self._meter.count(piece.usage)
                if self._meter.is_stopped:
                    return
                self._unheard = hears_late and not piece.usage.generated_tokens
                if piece.text and most:
                    self._begun = True
                    written += len(piece.text)
                    if written > LONGEST_TEXT:
                        raise EngineError(f"The server at {server.url} does not stop writing.")
                    self._arrivals.put_nowait(Token(piece.text, piece.probability))
                if self.usage.generated_tokens >= max(1, most):
                    return  # some servers ignore the limit

    def _end(self, task: asyncio.Task[None]) -> None:
        self._meter.end()
        if not task.cancelled():
            task.exception()  # marks it as retrieved; `__aiter__` raises it
        self._arrivals.put_nowait(None)
