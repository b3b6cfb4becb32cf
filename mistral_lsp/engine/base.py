"""The protocols of an engine: `Engine` for completion, `Service` for the language server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from mistral_lsp.engine.standing import Standing, State
from mistral_lsp.types import Decoding, LoadedModel, Prompt, Token, Usage


class Generation(Protocol):
    """A streamed answer. Iterate over it once; `stop` also ends the engine's computation."""

    @property
    def usage(self) -> Usage:
        """The costs so far."""

    def __aiter__(self) -> AsyncIterator[Token]:
        """Yields tokens as they are decoded. Raises EngineError if the engine fails."""

    def stop(self) -> None:
        """Stops the generation. Safe at any time, also after its end."""


class Engine(Protocol):
    """An engine as the completion pipeline uses it, whether a host or a model server."""

    @property
    def model(self) -> LoadedModel | None:
        """The model; None until it is loaded."""

    async def ready(self) -> LoadedModel:
        """Waits until the model is loaded. Raises EngineError if it can't be."""

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text."""

    async def weigh(self, prompt: Prompt) -> list[int]:
        """Counts the tokens of each part of a prompt, as `generate` would send it."""

    def generate(self, prompt: Prompt, decoding: Decoding) -> Generation:
        """Starts a generation; the caller stops the previous one first."""


class Service(Engine, Protocol):
    """An engine as the language server uses it: adds its start, end and state."""

    wanted: Any
    """The engine's settings. If `wanted.without_wishes()` changes, a new engine is needed."""
    host_pid: int | None
    """The process id of the host; None for a model server."""
    standing: Standing

    @property
    def state(self) -> State:
        """The state; only a "ready" engine can answer."""
        return self.standing.state

    @property
    def message(self) -> str:
        """A sentence about the state, for the user."""
        return self.standing.message

    def start(self) -> None:
        """Starts the engine in the background."""

    async def close(self) -> None:
        """Disconnects from the engine."""

    async def leave(self) -> None:
        """Disconnects, and waits for the host to exit, unless it has other clients."""

    def wish(self, wanted: Any) -> None:
        """Changes the client's own options (see Load); the rest of `wanted` must stay the same."""
