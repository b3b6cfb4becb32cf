"""The engine `http`: one or several model servers; picks a server for each document."""

from __future__ import annotations

import asyncio
import hashlib
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from typing_extensions import override

from mistral_lsp.engine.base import Service
from mistral_lsp.engine.limited import ended
from mistral_lsp.engine.remote.dialects.base import Dialect
from mistral_lsp.engine.remote.failures import ServerError
from mistral_lsp.engine.remote.generation import RemoteGeneration
from mistral_lsp.engine.remote.member import Found, Member
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.engine.standing import Meter, OnState, Standing
from mistral_lsp.engine.unforeseen import watched
from mistral_lsp.metrics import Metrics
from mistral_lsp.types import Decoding, EngineError, LoadedModel, Prompt


class RemoteEngine(Service):
    """Model servers as one engine; see engine.base.Service.

    A server is left out if its model differs from that of the first ready server. The requests for
    a document go to the same server while it is ready, to reuse its KV cache.
    """

    host_pid: int | None = None

    def __init__(
        self,
        wanted: Wanted,
        on_state: OnState = lambda state, message: None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.perf_counter,
        pace: Pace = Pace(),
    ):
        """Sends nothing yet. Calls `on_state` with each new state; counts the work in `metrics`."""
        self.wanted = wanted
        self.standing = Standing(on_state)
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._members = [Member(url, wanted, self._look, clock, pace) for url in wanted.urls]
        self._lives: list[asyncio.Task[None]] = []
        self._generations: weakref.WeakSet[RemoteGeneration] = weakref.WeakSet()

    @property
    @override
    def model(self) -> LoadedModel | None:
        """The common model, with the smallest window of the ready servers; None without any."""
        models = [server.model for server in self._ready()]
        if not models:
            return None
        return replace(
            models[0],
            window=min(model.window for model in models),
            first_window=min(model.first_window for model in models),
            working_window=min(model.working_window for model in models),
        )

    def start(self) -> None:
        """Starts looking for the servers in the background."""
        if not self._lives:
            self._lives = [
                watched(asyncio.create_task(member.live()), "The engine", member.fail)
                for member in self._members
            ]
            self._look()

    async def close(self) -> None:
        """Stops all generations and closes all connections."""
        for generation in self._generations:
            generation.abandon()
        await asyncio.gather(*map(ended, self._lives))
        self.standing.change("off", "The engine was stopped.")

    async def leave(self) -> None:
        """The same as `close`: the servers are not ours."""
        await self.close()

    @override
    def wish(self, wanted: Wanted) -> None:
        self.wanted = wanted

    @override
    async def ready(self) -> LoadedModel:
        if self._lives:
            await self.standing.settled()
        model = self.model
        if model is None:
            raise self.standing.error()
        return model

    @override
    async def count(self, texts: Sequence[str]) -> list[int]:
        return await self._counted(lambda dialect: dialect.count(texts))

    @override
    async def weigh(self, prompt: Prompt) -> list[int]:
        return await self._counted(lambda dialect: dialect.weigh(prompt))

    async def _counted(self, count: Callable[[Dialect], Awaitable[list[int]]]) -> list[int]:
        """Counts with the first ready server; if that is lost meanwhile, with the next one."""
        servers = self._ready()
        if not servers:
            raise self.standing.error()
        try:
            return await count(servers[0].dialect)
        except ServerError as error:
            if not error.lost:
                raise
            servers[0].lose(error)
        return await self._counted(count)

    @override
    def generate(self, prompt: Prompt, decoding: Decoding) -> RemoteGeneration:
        """Sends background requests only to a server that `reads_ahead`."""
        servers = self._ready()
        if not servers:
            raise self.standing.error()
        if decoding.background and not servers[0].dialect.reads_ahead:
            if decoding.max_tokens:
                raise EngineError("Nothing is asked of this server before somebody waits for it.")
            servers = []
        servers.sort(key=lambda server: _distance(prompt.document, server.url))
        most = decoding.max_tokens
        meter = Meter(self._metrics, self._clock)
        generation = RemoteGeneration(servers, prompt, most, meter)
        self._generations.add(generation)
        return generation

    def _ready(self) -> list[Found]:
        """Gives the ready servers with the same model as the first of them."""
        found = [member.found for member in self._members if member.found is not None]
        return [server for server in found if _same(server.model, found[0].model)]

    def _look(self) -> None:
        """Derives the engine's state from those of its servers."""
        ready = self._ready()
        if ready:
            left_out = [self._why_not(member, ready) for member in self._members]
            told = [f"{ready[0].model.model} on {ready[0].model.engine}.", *filter(None, left_out)]
            self.standing.change("ready", " ".join(told))
            return
        states = {member.state for member in self._members}
        waiting = [state for state in ("loading", "starting") if state in states]
        messages = " ".join(member.message for member in self._members)
        self.standing.change(waiting[0] if waiting else "failed", messages)

    def _why_not(self, member: Member, ready: Sequence[Found]) -> str:
        """Says why a server is left out, or "" if it takes part."""
        if member.found in ready:
            return ""
        if member.found is None:
            return member.message
        return (
            f"The server at {member.url} is left out: it has {member.found.model.model}, that at "
            f"{ready[0].url} another model."
        )


def _same(one: LoadedModel, other: LoadedModel) -> bool:
    return (one.engine, one.model, one.form) == (other.engine, other.model, other.form)


def _distance(document: str, url: str) -> bytes:
    """Gives a server's rank for a document by rendezvous hashing, the same in every editor.

    A server that comes or goes moves only its own documents.
    """
    return hashlib.blake2b(f"{url}\n{document}".encode("utf-8", "replace"), digest_size=8).digest()
