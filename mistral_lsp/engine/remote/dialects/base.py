"""What every dialect can do, and what it says of an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mistral_lsp.types import LoadedModel, Prompt, Usage


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of an answer, how probable it was (1 where nobody says), and the cost so far."""

    text: str
    probability: float
    usage: Usage


class Dialect(Protocol):
    """How one kind of server is asked. Everything raises EngineError, with what to do."""

    reads_ahead: bool
    """Whether reading a prompt in a pause makes the next answer come sooner, at no price."""

    async def open(self) -> LoadedModel:
        """Finds out about the server and its model, and that it would answer."""

    async def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, or a little more."""

    async def weigh(self, prompt: Prompt) -> list[int]:
        """How many tokens each part brings to a prompt, or a little more."""

    def stream(self, prompt: Prompt, max_tokens: int) -> AsyncGenerator[Piece, None]:
        """The answer as it comes; closing it stops the server. No tokens: the prompt is read."""
