"""The engine that a server elsewhere is: finds it, notices when it is gone, finds it again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import weakref
from collections.abc import AsyncIterator, Callable, Sequence

from mistral_lsp.engine.base import EngineError, State
from mistral_lsp.engine.remote.base import Dialect, Piece
from mistral_lsp.engine.remote.find import find
from mistral_lsp.engine.remote.server import Server, ServerError
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.metrics import Metrics
from mistral_lsp.types import LoadedModel, Prompt, Token, Usage

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
"""Between two looks for a server that was there, or may be at any moment."""
NO_USAGE = Usage()


class RemoteGeneration:
    """An answer that the server is writing; see engine.base.Generation."""

    def __init__(
        self,
        pieces: AsyncIterator[Piece],
        max_tokens: int,
        failed: Callable[[EngineError], None],
        metrics: Metrics,
        clock: Callable[[], float],
    ):
        """Begins at once. `failed` hears why it could not go on."""
        self.usage = NO_USAGE
        self._max_tokens = max_tokens
        self._failed = failed
        self._metrics = metrics
        self._clock = clock
        self._stopped_at: float | None = None
        self._arrivals: asyncio.Queue[Token | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(pieces))
        self._task.add_done_callback(self._end)

    async def __aiter__(self) -> AsyncIterator[Token]:
        """The tokens; ends with the answer, after `stop`, or with EngineError."""
        while (token := await self._arrivals.get()) is not None:
            yield token
        if not self._task.cancelled():
            self._task.result()

    def stop(self) -> None:
        """See engine.base.Generation: closes the connection."""
        if not self._task.done() and self._stopped_at is None:
            self._stopped_at = self._clock()
            self._task.cancel()

    async def _run(self, pieces: AsyncIterator[Piece]) -> None:
        try:
            async for piece in pieces:
                self._metrics.worked(self.usage, piece.usage)
                self.usage = piece.usage
                if piece.text and self._max_tokens:
                    self._arrivals.put_nowait(Token(piece.text, piece.probability))
                if self.usage.generated_tokens >= max(1, self._max_tokens):
                    return  # also where a server does not heed the limit
        except EngineError as error:
            self._failed(error)
            raise
        finally:
            await pieces.aclose()  # type: ignore[attr-defined]

    def _end(self, task: asyncio.Task[None]) -> None:
        if self._stopped_at is not None:
            self._metrics.stopped((self._clock() - self._stopped_at) * 1000)
        if not task.cancelled():
            task.exception()  # whoever iterates gets it; else nobody wants it
        self._arrivals.put_nowait(None)


class RemoteEngine:
    """A server as the pipeline sees it; see engine.base.Service."""

    host_pid: int | None = None

    def __init__(
        self,
        wanted: Wanted,
        on_state: Callable[[State, str], None] = lambda state, message: None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        """Nothing is asked yet."""
        self.wanted = wanted
        self.state: State = "starting"
        self.message = "The engine has not been started."
        self.model: LoadedModel | None = None
        self._on_state = on_state
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._dialect: Dialect | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._lost: asyncio.Future[ServerError] | None = None
        self._generations: weakref.WeakSet[RemoteGeneration] = weakref.WeakSet()

    def start(self) -> None:
        """Looks for the server, in the background."""
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise())

    async def close(self) -> None:
        """Ends all connections."""
        for generation in self._generations:
            generation.stop()
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        self._dialect = self.model = None
        self._change("off", "The engine was stopped.")

    async def leave(self) -> None:
        """The same as `close`: the server is not ours."""
        await self.close()

    def wish(self, wanted: Wanted) -> None:
        """See engine.base.Service."""
        self.wanted = wanted

    async def ready(self) -> LoadedModel:
        """See engine.base.Engine."""
        await self._settled.wait()
        if self.model is None:
            raise EngineError(self.message)
        return self.model

    async def count(self, texts: Sequence[str]) -> list[int]:
        """See engine.base.Engine."""
        try:
            return await self._asked().count(texts)
        except ServerError as error:
            self._fail(error)
            raise

    def generate(
        self, prompt: Prompt, max_tokens: int, background: bool = False
    ) -> RemoteGeneration:
        """See engine.base.Engine. In the background, only what costs nothing is done."""
        dialect = self._asked()
        if dialect.reads_ahead or not background:
            pieces = dialect.stream(prompt, max_tokens)
        elif max_tokens:
            raise EngineError("Nothing is asked of this server before somebody waits for it.")
        else:
            pieces = _nothing()
        generation = RemoteGeneration(pieces, max_tokens, self._fail, self._metrics, self._clock)
        self._generations.add(generation)
        return generation

    def _asked(self) -> Dialect:
        if self._dialect is None:
            raise EngineError(self.message)
        return self._dialect

    def _change(self, state: State, message: str) -> None:
        if (state, message) == (self.state, self.message):
            return
        self.state, self.message = state, message
        if state != "starting":
            self._settled.set()
        self._on_state(state, message)

    def _fail(self, error: EngineError) -> None:
        """Lets the supervisor know that a request met a server that is not what it was."""
        if not (isinstance(error, ServerError) and error.lost):
            return
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(error)
            self._dialect = self.model = None
            self._change("failed", f"{error} It is asked again by itself.")

    async def _supervise(self) -> None:
        self._change("starting", f"The server at {self.wanted.url} is being asked.")
        try:
            server = Server(self.wanted)
        except EngineError as error:
            self._change("failed", str(error))
            return
        failures = 0
        try:
            while True:
                begun = self._clock()
                end = await self._live(server)
                stayed = self._clock() - begun > LONGEST_PAUSE_SECONDS
                failures = 0 if stayed else failures + 1
                self._change("failed", f"{end} It is asked again by itself.")
                pause = min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(max(end.seconds, pause))
        finally:
            await server.close()

    async def _live(self, server: Server) -> ServerError:
        """One life of the server, as far as it is seen from here; tells how it ended."""
        try:
            dialect = await find(server, self.wanted)
            self.model = await dialect.open()
        except ServerError as error:
            return error
        self._dialect = dialect
        self._lost = asyncio.get_running_loop().create_future()
        self._change("ready", f"{self.model.model} on {self.model.engine}.")
        return await self._lost


async def _nothing() -> AsyncIterator[Piece]:
    """What a prompt's reading gives where it is not read."""
    yield Piece("", 1.0, NO_USAGE)
