"""The protocol of a dialect, and the piece of an answer that it yields."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mistral_lsp.types import LoadedModel, Prompt, Usage


@dataclass(frozen=True, slots=True)
class Piece:
    """New text of an answer, its probability (1 if the server tells none), and the costs so far."""

    text: str
    probability: float
    usage: Usage


class Dialect(Protocol):
    """The HTTP interface of one kind of server. All methods raise EngineError, with advice."""

    reads_ahead: bool
    """Whether sending a prompt in advance speeds up the next answer, and costs no money."""

    async def open(self) -> LoadedModel:
        """Asks the server for its model, and checks that it would answer."""

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text; estimates err on the high side."""

    async def weigh(self, prompt: Prompt) -> list[int]:
        """Counts the tokens of each part of a prompt; estimates err on the high side."""

    def stream(self, prompt: Prompt, max_tokens: int) -> AsyncGenerator[Piece, None]:
        """Yields the answer as it arrives. Closing the generator stops the server.

        With 0 `max_tokens`, the server only reads the prompt.
        """
