"""The dialect of Ollama.

Source: docs/api.md in Ollama's repository: POST /api/generate, GET /api/tags, GET /api/version.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Optional

import msgspec

from mistral_lsp.engine.remote.base import Piece, estimate
from mistral_lsp.engine.remote.server import Server
from mistral_lsp.engine.remote.texts import FORM_OF_HALVES, at_limit, halves, only, spelt_out
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.models import registry
from mistral_lsp.models.marks import form_of, spelt_in
from mistral_lsp.types import LoadedModel, Part, Prompt, Usage

PATH = "/api/generate"
NO_SUFFIX = "\n"
"""Without a suffix Ollama takes the prompt for a chat's."""
PROBE = (
    Part("mark", special="fim_suffix"),
    Part("suffix", "\n"),
    Part("mark", special="fim_prefix"),
    Part("prefix", "x ="),
    Part("mark", special="fim_middle"),
)


class Version(msgspec.Struct):
    """What only Ollama answers to."""

    version: str


class _Model(msgspec.Struct):
    name: str


class _Models(msgspec.Struct):
    models: list[_Model]


class _Chunk(msgspec.Struct):
    response: str = ""
    done: bool = False
    done_reason: Optional[str] = None
    prompt_eval_count: int = 0


class Ollama:
    """One model of an Ollama; see remote.base.Dialect."""

    reads_ahead = False

    def __init__(self, server: Server, wanted: Wanted):
        """Asks nothing yet."""
        self._server = server
        self._wanted = wanted
        self._model = wanted.model
        self._window = wanted.window or registry.DEFAULT_WINDOW
        self._spelt: dict[str, str] = {}

    async def open(self) -> LoadedModel:
        """See Dialect. Asks for one token, by which Ollama also loads the model."""
        models = (await self._server.get("/api/tags", _Models)).models
        names = [model.name for model in models]
        self._model = only(names, self._wanted.model, self._server.address)
        self._spelt = spelt_in(self._model)
        form = form_of(self._spelt, self._model) if self._spelt else FORM_OF_HALVES
        body = self._body(Prompt(form, PROBE), 1) | {"stream": False}
        await self._server.post(PATH, body, _Chunk)
        note = f"Ollama at {self._server.address}."
        window = self._window
        return LoadedModel("ollama", self._model, form, window, window, window, note)

    async def count(self, texts: Sequence[str]) -> list[int]:
        """See Dialect: an estimate."""
        return estimate(texts)

    async def stream(self, prompt: Prompt, max_tokens: int) -> AsyncIterator[Piece]:
        """See Dialect."""
        usage = Usage()
        async with self._server.stream(PATH, self._body(prompt, max_tokens), _Chunk) as chunks:
            async for chunk in chunks:
                if chunk.response:
                    usage = Usage(generated_tokens=usage.generated_tokens + 1)
                    yield Piece(chunk.response, 1.0, usage)
                if chunk.done:
                    usage = Usage(chunk.prompt_eval_count, 0, usage.generated_tokens)
                    yield Piece("", 1.0, at_limit(usage, chunk.done_reason, max_tokens))
                    return

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        # The window that Ollama takes by itself may be smaller, and it cuts without a word.
        options = {"temperature": 0, "num_predict": max_tokens, "num_ctx": self._window}
        body = {"model": self._model, "stream": True, "options": options}
        if self._spelt:
            return body | {"prompt": spelt_out(prompt, self._spelt), "raw": True}
        before, behind = halves(prompt)
        return body | {"prompt": before, "suffix": behind or NO_SUFFIX}
