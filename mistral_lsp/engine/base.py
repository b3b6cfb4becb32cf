"""The protocols of the engine: what a backend can do, what the pipeline and the server ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, Protocol

from mistral_lsp.types import LoadedModel, Prompt, Token, Usage, UserError

State = Literal["starting", "loading", "ready", "failed", "off"]

SCRIPT_VARIABLE = "MISTRAL_LSP_SCRIPT"
"""Names the file that the scripted engine answers from."""


class EngineError(UserError):
    """The engine can't answer; the message says why and what to do."""


class Aborted(Exception):
    """An eval was stopped in the middle by `Backend.abort`."""


class Backend(Protocol):
    """The primitives of one inference library, over one sequence with one KV cache.

    Used by one thread at a time; during `eval`, others may only `abort` it or read the vocabulary.
    """

    name: str
    largest_chunk: int
    """How many tokens one `eval` may take."""
    can_abort: bool
    """Whether `abort` stops a running eval; elsewhere a cancel is heard between chunks only."""
    can_save: bool
    """Whether `save` and `restore` work; elsewhere a prompt that was left is read anew."""

    def tokenize(self, text: bytes) -> list[int]:
        """The tokens of UTF-8 text: nothing added before it, no special tokens parsed in it."""

    def token_bytes(self, token: int) -> bytes:
        """The bytes of a token; incomplete UTF-8 where it is a piece of a character."""

    def vocabulary_size(self) -> int:
        """How many tokens there are."""

    def eval(self, tokens: Sequence[int], past: int) -> Any:
        """Evaluates tokens behind the first `past` ones and gives the last one's logits.

        The logits are a float32 array of shape (vocabulary,), valid until the next eval.
        Raises Aborted, after which the cache holds just the first `past` tokens for certain.
        """

    def rewind(self, past: int) -> None:
        """Forgets all but the first `past` tokens."""

    def abort(self, wanted: bool) -> None:
        """Asks a running eval to stop, or (False) lets later ones run."""

    def use_threads(self, count: int) -> None:
        """Lets later evals compute with `count` threads."""

    def save(self) -> bytearray:
        """What the KV cache holds, copied once: a cancel is not heard meanwhile."""

    def restore(self, state: bytearray) -> bool:
        """Makes the KV cache hold what `save` gave; where it can't, False, and it holds nothing."""


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
