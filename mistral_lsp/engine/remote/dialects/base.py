"""The protocol of a dialect, and what all dialects need."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mistral_lsp.engine.remote.failures import RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.types import LoadedModel, Prompt, Usage

LONGEST_NAME = 1_000
"""Characters of a model's name."""


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

    async def models(self) -> list[str]:
        """Lists the server's models, by the names that mistralLsp.httpModel may have.

        Makes the server load none of them.
        """

    def means(self, name: str) -> bool:
        """Whether the settings mean this model of the list."""

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


def only(models: Sequence[str], server: HttpClient) -> str:
    """Gives the name of a server's only model. Raises ServerError if it has none or several."""
    where = f"The server at {server.address}"
    if len(models) == 1 and 0 < len(models[0]) <= LONGEST_NAME:
        return models[0]
    if len(models) < 2:
        raise ServerError(f"{where} names no model. Set mistralLsp.httpModel.", RARELY_SECONDS)
    shown = ", ".join(map(server.failures.name, models[:8]))
    raise ServerError(
        f"{where} has several models ({shown}). Set mistralLsp.httpModel to one.",
        RARELY_SECONDS,
    )
