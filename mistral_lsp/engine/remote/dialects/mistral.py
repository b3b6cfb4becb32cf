"""The dialect of Mistral's fill-in interface.

Source: the pages on POST /v1/fim/completions and GET /v1/models in Mistral's API reference, and the
types of the streamed chunks in its Python client.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Optional

import msgspec
from typing_extensions import override

from mistral_lsp.engine.remote.dialects.texts import FORM_OF_HALVES, Said, TextDialect, halves
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.models import registry
from mistral_lsp.types import LoadedModel, Prompt

USUAL_MODEL = "codestral-latest"


class _Delta(msgspec.Struct):
    content: Optional[str] = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: Optional[str] = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice]

    def said(self) -> Said:
        choice = self.choices[0] if self.choices else _Choice()
        return Said(choice.delta.content or "", choice.finish_reason or "")


class _Abilities(msgspec.Struct):
    completion_fim: bool = False


class _Model(msgspec.Struct):
    id: str
    capabilities: _Abilities = msgspec.field(default_factory=_Abilities)


class _Models(msgspec.Struct):
    data: list[_Model]


class Mistral(TextDialect):
    """One model on Mistral's API; see Dialect."""

    _path = "/v1/fim/completions"
    _chunk = _Chunk

    def __init__(
        self, server: HttpClient, wanted: Wanted, clock: Callable[[], float] = time.perf_counter
    ):
        super().__init__(server, wanted, clock)
        self._model = wanted.model or USUAL_MODEL

    @override
    async def models(self) -> list[str]:
        """Lists only the models that fill in."""
        models = (await self._server.get("/v1/models", _Models)).data
        return [model.id for model in models if model.capabilities.completion_fim]

    @override
    async def open(self) -> LoadedModel:
        await self._fill_in(FORM_OF_HALVES)
        window = self._wanted.window or registry.DEFAULT_WINDOW
        note = f"Mistral's fill-in at {self._server.address}."
        return await self._loaded("mistral", self._model, FORM_OF_HALVES, window, note)

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        before, behind = halves(prompt)
        return {
            "model": self._model,
            "prompt": before,
            "suffix": behind,
            "max_tokens": max_tokens,
            "temperature": 0,
        }
