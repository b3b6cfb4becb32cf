"""Lets only one stream at a time use the engine: the stream of the newest request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

from mistral_lsp.completion.cache import Entry
from mistral_lsp.document import Snapshot
from mistral_lsp.engine.unforeseen import told, watched
from mistral_lsp.types import Answer, LoadedModel, Token, Usage

Sleep = Callable[[float], Awaitable[None]]


class Superseded(Exception):
    """Raised if a newer request has taken the engine."""


class Disagreed(Exception):
    """Raised if the user has typed text that differs from the stream's answer."""


class Stream:
    """A generation in progress, followed by any number of requests."""

    def __init__(self, snapshot: Snapshot, offset: int):
        self.snapshot = snapshot
        self.offset = offset
        self.entry = Entry.at(snapshot, offset)
        self.usage = Usage()
        self.model: LoadedModel | None = None
        self._followers: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def is_over(self) -> bool:
        """Whether the generation has ended or was stopped."""
        return self._stopped or self._is_done()

    @property
    def is_followed(self) -> bool:
        """Whether a request is waiting for the stream's tokens."""
        return bool(self._followers)

    def _is_done(self) -> bool:
        return self._task is not None and self._task.done()

    def rest(self, snapshot: Snapshot, offset: int) -> Answer | None:
        """Gives the part of the answer after `offset`, or None if the user typed other text."""
        if not self.entry.tokens and offset != self.offset and self._stops_at_once():
            return None  # no answer to compare with yet; a new stream keeps the prompt read so far
        return self.entry.rest(snapshot, offset)

    def _stops_at_once(self) -> bool:
        """Whether the engine can stop this generation at once.

        If it can't, following the stream is faster than starting a new one.
        """
        return self.model is None or self.model.can_abort

    def agrees(self, later: Snapshot) -> bool:
        """Whether the stream's answer begins with the text typed since the stream started.

        One closing bracket or quote, which the editor may have inserted, is ignored.
        """
        typed = len(later.text) - len(self.snapshot.text)
        return any(
            length > 0 and self.rest(later, self.offset + length) is not None
            for length in (typed, typed - 1)
        )

    async def followed(self, snapshot: Snapshot, offset: int) -> AsyncGenerator[Answer, None]:
        """Yields the part of the answer after `offset`, each time the answer has grown.

        Raises Disagreed, Superseded, or the engine's error.
        """
        grown = asyncio.Event()
        self._followers.add(grown)
        try:
            while True:
                done = self._is_done()
                self._raise_failure()
                rest = self.rest(snapshot, offset)
                if rest is None:
                    raise Disagreed
                yield rest
                if done:
                    return
                await grown.wait()
                grown.clear()
        finally:
            self._followers.discard(grown)

    def _raise_failure(self) -> None:
        if self._task is not None and self._task.done():
            if self._task.cancelled():
                raise Superseded
            if failure := self._task.exception():
                raise failure

    def take(self, token: Token) -> None:
        """Appends a token, and wakes the followers."""
        self.entry.take(token)
        self._wake()

    def _wake(self) -> None:
        for follower in self._followers:
            follower.set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts `work`, the coroutine that writes the answer."""
        self._task = asyncio.create_task(_write(work))
        self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # marks it as handled: only followers raise it
        self._wake()

    def stop(self) -> None:
        """Stops the generation. May be called at any time, more than once."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    async def settle(self) -> None:
        """Waits until the generation has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])


class Scheduler:
    """Decides which stream may use the engine: the stream of the newest request."""

    def __init__(self, sleep: Sleep = asyncio.sleep):
        """Starts without a stream. `sleep` is awaited for the debounce."""
        self._sleep = sleep
        self._stream: Stream | None = None
        self._idle: asyncio.Task[None] | None = None
        self._about: object = None
        self.turn = 0
        """The number of the newest request. After waiting, a request compares its own number with
        this one, and so notices a newer request.
        """

    def next_turn(self) -> int:
        """Gives a new request its number."""
        self.turn += 1
        return self.turn

    def agreeing(self, snapshot: Snapshot, offset: int) -> Stream | None:
        """Gives the running stream, if its answer agrees with the text before `offset`."""
        stream = self._stream
        if stream is None or stream.is_over or stream.rest(snapshot, offset) is None:
            return None
        return stream

    def begin(
        self,
        snapshot: Snapshot,
        offset: int,
        write: Callable[[Stream], Coroutine[Any, Any, None]],
        debounce: float,
    ) -> Stream:
        """Stops the running stream and idle work, and gives a new stream at once.

        After `debounce` seconds, `write` is called to fill the new stream.
        """
        if self._stream is not None:
            self._stream.stop()
        if self._idle is not None:
            self._idle.cancel()
        self._stream = stream = Stream(snapshot, offset)
        stream.run(self._later(stream, write, debounce))
        return stream

    async def _later(
        self,
        stream: Stream,
        write: Callable[[Stream], Coroutine[Any, Any, None]],
        debounce: float,
    ) -> None:
        if debounce:
            await self._sleep(debounce)
        await write(stream)

    def idle(self, work: Callable[[], Coroutine[Any, Any, None]], about: object = None) -> None:
        """Starts `work` in the background, unless a stream is running.

        The next stream cancels `work`. Earlier idle work is cancelled first. But if the earlier
        work is `about` the same object, it continues, and `work` is not started.
        """
        if self._stream is not None and not self._stream.is_over:
            return
        if self._idle is not None and not self._idle.done():
            if about is not None and about is self._about:
                return
            self._idle.cancel()
        idle = asyncio.create_task(work())
        self._idle, self._about = watched(idle, "What is done in pauses"), about


async def _write(work: Coroutine[Any, Any, None]) -> None:
    with told("The answer"):
        await work
