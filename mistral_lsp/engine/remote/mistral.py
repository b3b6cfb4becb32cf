"""The dialect of Mistral's fill-in interface.

Source: the page on POST /v1/fim/completions in Mistral's API reference, and the types of the
streamed chunks in its Python client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Optional

import msgspec

from mistral_lsp.engine.remote.base import Piece, estimate
from mistral_lsp.engine.remote.server import Server
from mistral_lsp.engine.remote.texts import FORM_OF_HALVES, at_limit, halves
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.models import registry
from mistral_lsp.types import LoadedModel, Part, Prompt, Usage

PATH = "/v1/fim/completions"
USUAL_MODEL = "codestral-latest"


class _Delta(msgspec.Struct):
    content: Optional[str] = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: Optional[str] = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


class Mistral:
    """One model behind Mistral's interface; see remote.base.Dialect."""

    reads_ahead = False

    def __init__(self, server: Server, wanted: Wanted):
        """Asks nothing yet."""
        self._server = server
        self._model = wanted.model or USUAL_MODEL
        self._window = wanted.window or registry.DEFAULT_WINDOW

    async def open(self) -> LoadedModel:
        """See Dialect. Asks for one token, so that what won't do is known before anybody types."""
        probe = Prompt(FORM_OF_HALVES, (Part("prefix", "x ="), Part("suffix", "\n")))
        await self._server.post(PATH, self._body(probe, 1), _Chunk)
        note = f"Mistral's fill-in at {self._server.address}."
        window = self._window
        return LoadedModel("mistral", self._model, FORM_OF_HALVES, window, window, window, note)

    async def count(self, texts: Sequence[str]) -> list[int]:
        """See Dialect: an estimate."""
        return estimate(texts)

    async def stream(self, prompt: Prompt, max_tokens: int) -> AsyncIterator[Piece]:
        """See Dialect."""
        body = self._body(prompt, max_tokens) | {"stream": True}
        usage = Usage()
        async with self._server.stream(PATH, body, _Chunk) as chunks:
            async for chunk in chunks:
                for choice in chunk.choices[:1]:
                    if choice.delta.content:
                        usage = Usage(generated_tokens=usage.generated_tokens + 1)
                        yield Piece(choice.delta.content, 1.0, usage)
                    if choice.finish_reason:
                        yield Piece("", 1.0, at_limit(usage, choice.finish_reason, max_tokens))
                        return

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        before, behind = halves(prompt)
        return {
            "model": self._model,
            "prompt": before,
            "suffix": behind,
            "max_tokens": max_tokens,
            "temperature": 0,
        }
