"""The dialect of Ollama.

Source: docs/api.md in Ollama's repository: POST /api/generate, GET /api/tags, GET /api/version.
"""

from __future__ import annotations

from typing import Any, Optional

import msgspec
from typing_extensions import override

from mistral_lsp.engine.remote.dialects.texts import (
    FORM_OF_HALVES,
    Said,
    TextDialect,
    halves,
    spelt_out,
)
from mistral_lsp.models import registry
from mistral_lsp.models.marks import spelt_in
from mistral_lsp.types import LoadedModel, Prompt

NO_SUFFIX = "\n"
"""Sent in place of an empty suffix. Without one, Ollama would treat the prompt as a chat."""


class Version(msgspec.Struct):
    """The answer to GET /api/version, a path that only Ollama has."""

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

    def said(self) -> Said:
        reason = (self.done_reason or "stop") if self.done else ""
        return Said(self.response, reason, self.prompt_eval_count)


class Ollama(TextDialect):
    """One model on an Ollama server; see Dialect."""

    _path = "/api/generate"
    _chunk = _Chunk

    @override
    async def open(self) -> LoadedModel:
        """Probes the server, which also makes Ollama load the model."""
        names = [model.name for model in (await self._server.get("/api/tags", _Models)).models]
        self._model = self._only(names)
        self._spelt = spelt_in(self._model)
        form = registry.form_of_model(self._model, self._spelt) if self._spelt else FORM_OF_HALVES
        await self._fill_in(form)
        note = f"Ollama at {self._server.address}."
        return await self._loaded("ollama", self._model, form, self._window(), note)

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
