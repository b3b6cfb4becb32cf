"""The dialect of Ollama.

Source: docs/api.md in Ollama's repository: POST /api/generate, GET /api/tags, GET /api/ps.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Optional

import msgspec
from typing_extensions import override

from mistral_lsp.engine.remote.dialects.base import Piece
from mistral_lsp.engine.remote.dialects.texts import (
    FORM_OF_HALVES,
    Said,
    TextDialect,
    halves,
    spelt_out,
)
from mistral_lsp.engine.remote.failures import NO_SUCH_PATH, SOON_SECONDS, ServerError
from mistral_lsp.models import registry
from mistral_lsp.models.marks import form_of, spelt_in
from mistral_lsp.types import LoadedModel, Prompt

NO_SUFFIX = "\n"
"""Sent in place of an empty suffix. Without one, Ollama would treat the prompt as a chat."""


class _Model(msgspec.Struct):
    name: str


class Tags(msgspec.Struct):
    """The answer to GET /api/tags, and to GET /api/ps."""

    models: list[_Model]


class _Chunk(msgspec.Struct):
    response: str = ""
    done: bool = False
    done_reason: Optional[str] = None
    prompt_eval_count: int = 0

    def said(self) -> Said:
        reason = (self.done_reason or "stop") if self.done else ""
        return Said(self.response, reason, self.prompt_eval_count)


class Ollama(TextDialect):
    """One model on an Ollama server; see Dialect."""

    _path = "/api/generate"
    _chunk = _Chunk
    _heard_at = 0.0

    @override
    async def models(self) -> list[str]:
        return [model.name for model in (await self._server.get("/api/tags", Tags)).models]

    @override
    def means(self, name: str) -> bool:
        return bool(self._model) and _full(name) == _full(self._model)

    @override
    async def open(self) -> LoadedModel:
        """Probes the server, which also makes Ollama load the model."""
        self._model = self._only(await self.models())
        self._spelt = spelt_in(self._model)
        form = form_of(self._spelt, self._model) if self._spelt else FORM_OF_HALVES
        await self._fill_in(form)
        self._heard_at = self._clock()
        note = f"Ollama at {self._server.address}."
        return await self._loaded("ollama", self._model, form, self._window(), note)

    @override
    async def stream(self, prompt: Prompt, max_tokens: int) -> AsyncGenerator[Piece, None]:
        await self._check_loaded()
        async with aclosing(super().stream(prompt, max_tokens)) as pieces:
            async for piece in pieces:
                self._heard_at = self._clock()
                yield piece

    async def _check_loaded(self) -> None:
        """Raises ServerError if Ollama has unloaded the model, so that it is opened anew.

        Ollama gives up loading if the request is stopped, as the next key does.
        """
        if self._clock() - self._heard_at <= self._server.pace.unloaded:
            return
        try:
            loaded = (await self._server.get("/api/ps", Tags)).models
        except ServerError as error:
            if error.status in NO_SUCH_PATH:
                return
            raise
        if _full(self._model) not in [_full(model.name) for model in loaded]:
            raise ServerError(
                f"Ollama at {self._server.address} has unloaded {self._model}: it is loaded again.",
                SOON_SECONDS,
            )

    def _window(self) -> int:
        return self._wanted.window or registry.window_of_model(self._model)

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        # Ollama silently truncates prompts to its window, which may be smaller by default.
        options = {"temperature": 0, "num_predict": max_tokens, "num_ctx": self._window()}
        body = {"model": self._model, "options": options}
        if self._spelt:
            return body | {"prompt": spelt_out(prompt, self._spelt), "raw": True}
        before, behind = halves(prompt)
        return body | {"prompt": before, "suffix": behind or NO_SUFFIX}


def _full(name: str) -> str:
    """Gives the one spelling of a model's name that Ollama takes in several."""
    name = name.casefold().removeprefix("https://").removeprefix("http://")
    name = name.removeprefix("registry.ollama.ai/").removeprefix("library/")
    return name if ":" in name.split("/")[-1] else f"{name}:latest"
