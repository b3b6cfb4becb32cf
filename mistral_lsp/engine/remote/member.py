"""Keeps track of one model server: looks for it, notices its loss, looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mistral_lsp.engine.remote.dialects.base import Dialect
from mistral_lsp.engine.remote.dialects.find import find
from mistral_lsp.engine.remote.failures import RARELY_SECONDS, UNAVAILABLE, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted, shown
from mistral_lsp.engine.standing import State
from mistral_lsp.engine.unforeseen import told
from mistral_lsp.types import EngineError, LoadedModel

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
"""Longest pause between two attempts to reach a server."""
FOREVER = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A server that is ready. If a request to it fails, the caller passes the error to `lose`.

    `turn` is held during each request to a server that notices a stop late.
    """

    url: str
    dialect: Dialect
    model: LoadedModel
    lose: Callable[[ServerError], None]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Member:
    """One server of the settings; `found` is None while it is not ready."""

    def __init__(
        self,
        url: str,
        wanted: Wanted,
        changed: Callable[[], None],
        clock: Callable[[], float],
        pace: Pace,
    ):
        """Sends nothing yet; calls `changed` after every change of state."""
        self.url = url
        self.state: State = "starting"
        self.message = f"The server at {shown(url)} is being asked."
        self.found: Found | None = None
        self._wanted = wanted
        self._changed = changed
        self._clock = clock
        self._pace = pace
        self._seen_at = -FOREVER
        self._refused_at = FOREVER
        """Since when the server answers that it is not available: many load their model then."""

    async def live(self) -> None:
        """Looks for the server repeatedly until cancelled. Ends if its settings are unusable."""
        try:
            with told(f"The server at {shown(self.url)}"):
                server = HttpClient(self.url, self._pace)
        except EngineError as error:
            self._change("failed", str(error))
            return
        failures = 0
        try:
            while True:
                begun = self._clock()
                end = await self._serve(server)
                stayed = self._clock() - begun > LONGEST_PAUSE_SECONDS
                failures = 0 if stayed else failures + 1
                self._be_without(end)
                pause = min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(max(end.seconds, pause))
        finally:
            self.found = None
            await server.close()

    async def _serve(self, server: HttpClient) -> ServerError:
        """Connects to the server and waits until it is lost; gives the error."""
        try:
            with told(f"The server at {self.url}"):
                async with server.loading(self._say_late):
                    dialect = await find(server, self._wanted, self._clock)
                    model = await dialect.open()
        except ServerError as error:
            return error
        except EngineError as error:
            return ServerError(str(error), RARELY_SECONDS)
        lost: asyncio.Future[ServerError] = asyncio.get_running_loop().create_future()

        def lose(error: ServerError) -> None:
            if not lost.done():
                self._seen_at = self._clock()
                self._be_without(error)
                lost.set_result(error)

        self._refused_at = FOREVER
        self.found = Found(self.url, dialect, model, lose)
        self._change("ready", f"{model.model} on {model.engine}.")
        return await lost

    def _say_late(self) -> None:
        """Says that the server may be loading its model."""
        self._change(
            "loading",
            f"The server at {self.url} takes long for its first answer: it may be loading "
            f"{self._wanted.model or 'its model'}.",
        )

    def _be_without(self, end: ServerError) -> None:
        self.found = None
        now = self._clock()
        self._refused_at = min(self._refused_at, now) if end.status == UNAVAILABLE else FOREVER
        state: State = "failed"
        if 0 <= now - self._refused_at < self._pace.load:
            state = "loading"
        elif now - self._seen_at < self._pace.grace and end.seconds < RARELY_SECONDS:
            state = "starting"
        self._change(state, f"{end} It is asked again by itself.")

    def fail(self, message: str) -> None:
        """Marks the server as failed for good, with the reason."""
        self.found = None
        self._change("failed", message)

    def _change(self, state: State, message: str) -> None:
        if (state, message) != (self.state, self.message):
            self.state, self.message = state, message
            self._changed()
