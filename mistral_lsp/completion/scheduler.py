"""Lets one stream at a time have the engine: the newest request's, while its text is wanted."""

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
    """A newer request took the engine."""


class Disagreed(Exception):
    """The stream went on otherwise than the user."""


class Stream:
    """An answer in the making, which any number of requests may follow while it is written."""

    def __init__(self, snapshot: Snapshot, offset: int):
        """Nothing is written yet."""
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
        """Whether nothing more will come."""
        return self._stopped or self._is_done()

    @property
    def is_followed(self) -> bool:
        """Whether a request waits for what it writes."""
        return bool(self._followers)

    def _is_done(self) -> bool:
        return self._task is not None and self._task.done()

    def rest(self, snapshot: Snapshot, offset: int) -> Answer | None:
        """What is left of it for a cursor at `offset`; None where the text there is another."""
        if not self.entry.tokens and offset != self.offset and self._stops_at_once():
            return None  # nothing to agree with, and what was read of the prompt stays read
        return self.entry.rest(snapshot, offset)

    def _stops_at_once(self) -> bool:
        """Where it does not, its first word comes before that of any other, and may be right."""
        return self.model is None or self.model.can_abort

    def agrees(self, later: Snapshot) -> bool:
        """Whether what has been typed since is what it writes, be it with a closed bracket."""
        typed = len(later.text) - len(self.snapshot.text)
        return any(
            length > 0 and self.rest(later, self.offset + length) is not None
            for length in (typed, typed - 1)
        )

    async def followed(self, snapshot: Snapshot, offset: int) -> AsyncGenerator[Answer, None]:
        """What is left for a cursor at `offset`, whenever there is more, to the end.

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
        """Grows by a token."""
        self.entry.take(token)
        self._wake()

    def _wake(self) -> None:
        for follower in self._followers:
            follower.set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins to write."""
        self._task = asyncio.create_task(_write(work))
        self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # followers get it; where there are none, nobody wants it
        self._wake()

    def stop(self) -> None:
        """Stops the computing; safe at any time."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    async def settle(self) -> None:
        """Waits until the computing is over."""
        if self._task is not None:
            await asyncio.wait([self._task])


class Scheduler:
    """The engine's turn. A flood of requests leaves just the last of them running."""

    def __init__(self, sleep: Sleep = asyncio.sleep):
        """`sleep` is the clock to wait by."""
        self._sleep = sleep
        self._stream: Stream | None = None
        self._idle: asyncio.Task[None] | None = None
        self._about: object = None
        self.turn = 0
        """Of the newest request: one that had to wait for its tree may have been overtaken."""

    def next_turn(self) -> int:
        """Gives a new request its number."""
        self.turn += 1
        return self.turn

    def agreeing(self, snapshot: Snapshot, offset: int) -> Stream | None:
        """The stream in progress, if the text before `offset` is what it writes."""
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
        """Stops what runs, waits `debounce` seconds, then lets `write` fill a new stream."""
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
        """Does `work` in the background, until a stream begins; in place of such work before it,
        which goes on if it is `about` the same.
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
