"""The protocols of an engine: `Engine` for completion, `Service` for the language server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from mistral_lsp.engine.standing import Standing, State
from mistral_lsp.types import Decoding, LoadedModel, Prompt, Token, Usage


class Generation(Protocol):
    """An answer that streams while an engine writes it. It can be iterated only once."""

    @property
    def usage(self) -> Usage:
        """The numbers of tokens read and written so far."""

    def __aiter__(self) -> AsyncIterator[Token]:
        """Yields tokens as they are decoded. Raises EngineError if the engine fails."""

    def stop(self) -> None:
        """Stops the answer and the engine's work on it. Allowed at any time, also after the end."""


class Engine(Protocol):
    """An engine as the completion pipeline sees it: a host or model servers."""

    @property
    def model(self) -> LoadedModel | None:
        """The loaded model, or None before it is loaded."""

    async def ready(self) -> LoadedModel:
        """Waits until the model is loaded. Raises EngineError if loading fails."""

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text."""

    async def weigh(self, prompt: Prompt) -> list[int]:
        """Counts the tokens of each part of a prompt, including its marks."""

    def generate(self, prompt: Prompt, decoding: Decoding) -> Generation:
        """Starts a generation. The caller must have stopped the previous one."""


class Service(Engine, Protocol):
    """An engine as the language server sees it: an `Engine` with a start, an end and a state."""

    wanted: Any
    """The engine's settings. If `wanted.without_wishes()` changes, a new engine is needed."""
    host_pid: int | None
    """The host's process id; None if the engine is a model server."""
    standing: Standing

    @property
    def state(self) -> State:
        """The engine's state. Requests can be answered only in the state "ready"."""
        return self.standing.state

    @property
    def message(self) -> str:
        """A sentence for the user that explains the state."""
        return self.standing.message

    def start(self) -> None:
        """Starts the engine in the background."""

    async def close(self) -> None:
        """Disconnects from the engine."""

    async def leave(self) -> None:
        """Says that the client leaves, and disconnects. A host without other clients then exits."""

    def wish(self, wanted: Any) -> None:
        """Changes the client's own options (see `Load`). All else in `wanted` must stay as is."""
