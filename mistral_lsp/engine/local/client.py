"""The client of the host: connects, sends requests, and restarts a dead host."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from typing_extensions import override

from mistral_lsp.engine import frames
from mistral_lsp.engine.base import Generation, Service
from mistral_lsp.engine.limited import ended
from mistral_lsp.engine.local import connect
from mistral_lsp.engine.standing import Meter, OnState, Standing, State
from mistral_lsp.engine.unforeseen import watched
from mistral_lsp.metrics import Metrics
from mistral_lsp.system import processes
from mistral_lsp.text.shown import seen
from mistral_lsp.types import Decoding, EngineError, LoadedModel, Prompt, Token, Usage

logger = logging.getLogger(__name__)

MOST_DEATHS = 3
DEATHS_WITHIN_SECONDS = 600.0
LEAVE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Time limits in seconds; tests use shorter or longer ones.

    - `greeting`: until a running host greets. A host greets at once; a silent listener is no host.
    - `heartbeat`: between two heartbeats while a request is open.
    - `silence`: until a host that sends nothing, not even a `Pong`, is killed.
    - `restart`: until a dead host is started again; doubled after each death.
    """

    greeting: float = 4.0
    heartbeat: float = 0.5
    silence: float = 10.0
    restart: float = 0.2


@dataclass
class HostGeneration(Generation):
    """An answer streamed by the host; see engine.base.Generation."""

    number: int
    send: Callable[[frames.Request], None]
    meter: Meter
    arrivals: asyncio.Queue[frames.Reply | EngineError] = field(default_factory=asyncio.Queue)
    finished: bool = False

    @property
    @override
    def usage(self) -> Usage:
        return self.meter.usage

    async def __aiter__(self) -> AsyncIterator[Token]:
        """Yields tokens until the answer ends or `stop` was called. Raises EngineError."""
        while True:
            arrival = await self.arrivals.get()
            if isinstance(arrival, EngineError):
                raise arrival
            if isinstance(arrival, frames.Decoded):
                yield Token(arrival.text, arrival.probability)
            if isinstance(arrival, frames.Finished):
                if arrival.error:
                    raise EngineError(arrival.error)
                return

    @override
    def stop(self) -> None:
        if not self.finished and not self.meter.is_stopped:
            self.meter.stop()
            self.send(frames.Cancel(self.number))

    def arrived(self, frame: frames.Decoded | frames.Finished) -> None:
        """Handles a frame from the host that belongs to this generation."""
        self.meter.count(frame.usage)
        if isinstance(frame, frames.Finished):
            self.finished = True
            self.meter.end()
        self.arrivals.put_nowait(frame)

    def failed(self, error: EngineError) -> None:
        """Ends the generation with an error, because the host is gone."""
        self.finished = True
        self.arrivals.put_nowait(error)


class EngineClient(Service):
    """The engine that a host runs; see engine.base.Service."""

    model: LoadedModel | None = None

    def __init__(
        self,
        wanted: frames.Load,
        on_state: OnState = lambda state, message: None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.perf_counter,
        pace: Pace = Pace(),
    ):
        """Starts nothing yet. `on_state` is called with each new state and message.

        `metrics` counts the work.
        """
        self.wanted = wanted
        self.standing = Standing(on_state)
        self.model = None
        self.host_pid: int | None = None
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._pace = pace
        self._supervisor: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._heard = 0
        self._leaving = False
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = 0
        self._generations: dict[int, HostGeneration] = {}
        self._counts: dict[int, asyncio.Future[list[int]]] = {}
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS)

    def start(self) -> None:
        """Finds or starts the host in the background."""
        if self._supervisor is None:
            supervisor = asyncio.create_task(self._supervise())
            self._supervisor = watched(
                supervisor, "The engine", lambda said: self._change("failed", said)
            )

    async def close(self) -> None:
        """Disconnects, and kills a suspended host.

        A host that loses its last client exits, at once or after `keep_loaded_seconds`.
        """
        if self.host_pid is not None and processes.is_suspended(self.host_pid):
            processes.kill(self.host_pid)
        if self._supervisor is not None:
            await ended(self._supervisor)
        if self._watching is not None:
            self._watching.cancel()
        self._change("off", "The engine was stopped.")

    async def leave(self) -> None:
        """Sends `Leave`, waits until the host has closed the connection, and disconnects."""
        if self._supervisor is not None and self._writer is not None:
            self._leaving = True
            self._send(frames.Leave())
            await asyncio.wait([self._supervisor], timeout=LEAVE_SECONDS)
        await self.close()

    @override
    def wish(self, wanted: frames.Load) -> None:
        self.wanted = wanted
        if self._writer is not None:
            self._send(wanted)

    @override
    async def ready(self) -> LoadedModel:
        if self._supervisor is not None:
            await self.standing.settled()
        if self.model is None:
            raise self.standing.error()
        return self.model

    @override
    async def count(self, texts: Sequence[str]) -> list[int]:
        return await self._counted(lambda number: frames.Count(number, list(texts)))

    @override
    async def weigh(self, prompt: Prompt) -> list[int]:
        return await self._counted(lambda number: frames.Weigh(number, prompt))

    async def _counted(self, request: Callable[[int], frames.Count | frames.Weigh]) -> list[int]:
        self._numbers += 1
        number = self._numbers
        counted = asyncio.get_running_loop().create_future()
        self._counts[number] = counted
        try:
            self._send(request(number))
            counts: list[int] = await counted
            return counts
        finally:
            self._counts.pop(number, None)

    @override
    def generate(self, prompt: Prompt, decoding: Decoding) -> HostGeneration:
        self._numbers += 1
        meter = Meter(self._metrics, self._clock)
        generation = HostGeneration(self._numbers, self._send, meter)
        self._send(frames.Generate(generation.number, prompt, decoding))
        self._generations[generation.number] = generation
        return generation

    def _send(self, frame: frames.Request) -> None:
        if self._writer is None:
            if not isinstance(frame, frames.Cancel):
                raise self.standing.error()
            return
        frames.write(self._writer, frame)
        if self._watching is None or self._watching.done():
            self._watching = watched(asyncio.create_task(self._watch()), "The engine's watch")

    async def _watch(self) -> None:
        """Sends heartbeats while a request is open; kills a suspended or silent host."""
        silent = 0.0
        while self._generations or self._counts or self.state == "loading":
            heard = self._heard
            await asyncio.sleep(self._pace.heartbeat)
            silent = silent + self._pace.heartbeat if self._heard == heard else 0.0
            if self._writer is None or self.host_pid is None:
                return
            if silent:
                if silent > self._pace.silence or processes.is_suspended(self.host_pid):
                    processes.kill(self.host_pid)
                    return
                frames.write(self._writer, frames.Ping())

    def _change(self, state: State, message: str) -> None:
        self.standing.change(state, seen(message))

    async def _supervise(self) -> None:
        while True:
            self._change("starting", "The engine is starting.")
            try:
                reason = await self._live()
            except EngineError as error:
                self._change("failed", str(error))
                return
            if self._leaving:
                return
            self._deaths.append(self._clock())
            recent = self._clock() - self._deaths[0] < DEATHS_WITHIN_SECONDS
            if len(self._deaths) == MOST_DEATHS and recent:
                self._change("failed", self._gave_up(reason))
                return
            self._change("starting", f"{reason} It is being started again.")
            await asyncio.sleep(self._pace.restart * 2 ** len(self._deaths))

    def _gave_up(self, reason: str) -> str:
        return (
            f"{reason} It died {MOST_DEATHS} times and is not started again. "
            f"{connect.last_words(self.wanted)} "
            "Choose another engine or model in the settings, then run mistralLsp.reload."
        )

    async def _live(self) -> str:
        """Connects to the host and handles its replies; gives the reason why the connection ended.

        Raises EngineError if the model can't be loaded, since another try would not help.
        """
        reader, self._writer, hello = await connect.connect(self.wanted, self._pace.greeting)
        self.host_pid = hello.pid
        self._change("loading", "The model is being loaded.")
        try:
            self._send(self.wanted)
            while True:
                self._take(await frames.read_reply(reader))
                self._heard += 1
        except (OSError, EOFError, msgspec.DecodeError) as error:
            logger.info("connection to the engine's host ended: %r", error)
        finally:
            loading = self.state == "loading"
            self._disconnect()
        if loading:
            return "The engine's process died while it loaded the model, which may be damaged."
        return "The engine's process died."

    def _take(self, frame: frames.Reply) -> None:
        if isinstance(frame, frames.Loaded):
            self.model = frame.model
            self._change("ready", f"{frame.model.model} on {frame.model.engine}.")
        elif isinstance(frame, frames.Failed):
            raise EngineError(frame.reason)
        elif isinstance(frame, frames.Counted):
            counted = self._counts.get(frame.id)
            if counted is not None and not counted.done():
                if frame.error:
                    counted.set_exception(EngineError(frame.error))
                else:
                    counted.set_result(frame.counts)
        elif isinstance(frame, (frames.Decoded, frames.Finished)):
            self._pass_on(frame)

    def _pass_on(self, frame: frames.Decoded | frames.Finished) -> None:
        generation = self._generations.get(frame.id)
        if generation is None:
            return
        generation.arrived(frame)
        if generation.finished:
            del self._generations[frame.id]

    def _disconnect(self) -> None:
        """Ends all open requests with an error, because the host is gone."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        self.model = None
        self.host_pid = None
        error = EngineError("The engine's process died while it answered. It is started again.")
        for generation in self._generations.values():
            generation.failed(error)
        self._generations.clear()
        for counted in self._counts.values():
            if not counted.done():
                counted.set_exception(error)
        self._counts.clear()
