"""The dialect of Hugging Face's Text Generation Inference (TGI).

Source: docs/openapi.json in its repository: POST /generate_stream, GET /info.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Optional

import msgspec
from typing_extensions import override

from mistral_lsp.engine.remote.dialects.texts import Chunk, Said, TextDialect, spelt_out, stops
from mistral_lsp.models import registry
from mistral_lsp.models.marks import form_of, spelt_in
from mistral_lsp.types import LoadedModel, Prompt


class Info(msgspec.Struct):
    """The answer to GET /info."""

    model_id: str
    max_input_tokens: Annotated[int, msgspec.Meta(ge=1)]


class _Token(msgspec.Struct):
    text: str = ""
    logprob: Optional[float] = None
    special: bool = False


class _Details(msgspec.Struct):
    finish_reason: str
    input_length: Annotated[int, msgspec.Meta(ge=0)] = 0


class _Chunk(msgspec.Struct):
    token: _Token
    details: Optional[_Details] = None

    def said(self) -> Said:
        text = "" if self.token.special else self.token.text
        log = self.token.logprob
        probabilities = () if log is None else (math.exp(min(0.0, log)),)
        if self.details is None:
            return Said(text, "", 0, probabilities)
        return Said(text, self.details.finish_reason, self.details.input_length, probabilities)


class Tgi(TextDialect):
    """One model of a TGI server; see Dialect."""

    _path = "/generate_stream"
    _chunk = _Chunk
    _is_streamed = True

    @override
    async def models(self) -> list[str]:
        """Gives the only model, by its name in the settings: another name changes nothing."""
        info = await self._server.get("/info", Info)
        return [self._only([info.model_id])]

    @override
    async def open(self) -> LoadedModel:
        """Takes the name in the settings for the model's: TGI may know it by a folder only."""
        info = await self._server.get("/info", Info)
        self._model = self._only([info.model_id])
        shown = self._model.replace("\\", "/").split("/")[-1]
        self._spelt = spelt_in(shown)
        form = form_of(self._spelt, shown)
        await self._probe(form)
        window = self._wanted.window or registry.window_of_model(shown)
        note = f"Text Generation Inference at {self._server.address}."
        return await self._loaded("tgi", shown, form, min(window, info.max_input_tokens), note)

    @override
    def _chunks(self, body: dict[str, Any]) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        return self._server.stream(self._path, body, self._chunk)

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "max_new_tokens": max(1, max_tokens),
            "do_sample": False,
            "details": True,
        }
        if self._spelt:
            parameters["stop"] = stops(self._spelt)
        return {"inputs": spelt_out(prompt, self._spelt), "parameters": parameters}
