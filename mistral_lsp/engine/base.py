"""The protocols of an engine: what completion needs of it, and what the server does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, Protocol

from mistral_lsp.types import LoadedModel, Prompt, Token, Usage

State = Literal["starting", "loading", "ready", "failed", "off"]


class Generation(Protocol):
    """An answer that is being written. Iterate it once; `stop` ends the computing for real."""

    usage: Usage

    def __aiter__(self) -> AsyncIterator[Token]:
        """The tokens as they are decoded; raises EngineError where the engine fails."""

    def stop(self) -> None:
        """Stops the engine; safe at any time, also when all is over."""


class Engine(Protocol):
    """What the pipeline needs of an engine, wherever it runs."""

    @property
    def model(self) -> LoadedModel | None:
        """The model, once it is loaded."""

    async def ready(self) -> LoadedModel:
        """Waits until the model is loaded. Raises EngineError where it can't be."""

    async def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has."""

    async def weigh(self, prompt: Prompt) -> list[int]:
        """How many tokens each part of a prompt brings to it, as `generate` would send it."""

    def generate(self, prompt: Prompt, max_tokens: int, background: bool = False) -> Generation:
        """Starts an answer; whatever was being written before it is stopped first by its owner.

        One in the `background` steps aside for anybody's that is not.
        """


class Service(Engine, Protocol):
    """What a server needs of an engine beside that: its life, and what to say of it."""

    wanted: Any
    """What was asked for; its `without_wishes()` differs where another engine is called for."""
    state: State
    message: str
    host_pid: int | None
    """The process that computes, where it is one of ours."""

    def start(self) -> None:
        """Makes the engine ready, in the background."""

    async def close(self) -> None:
        """Lets go of it."""

    async def leave(self) -> None:
        """Closes, and waits until it is gone or goes on for others."""

    def wish(self, wanted: Any) -> None:
        """Takes other wishes; `wanted` is the same but for these."""
