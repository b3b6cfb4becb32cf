"""The dialect that most servers speak: OpenAI's older completions.

Source: OpenAI's reference of POST /v1/completions and GET /v1/models, and vLLM's and
llama-cpp-python's of theirs.
"""

from __future__ import annotations

from typing import Any, Optional

import msgspec

from mistral_lsp.engine.remote.texts import (
    FORM_OF_HALVES,
    Said,
    TextDialect,
    halves,
    only,
    spelt_out,
)
from mistral_lsp.models import registry
from mistral_lsp.models.marks import spelt_in
from mistral_lsp.types import LoadedModel, Prompt


class _Model(msgspec.Struct):
    id: str
    max_model_len: Optional[int] = None


class Models(msgspec.Struct):
    """What the server has."""

    data: list[_Model]


class _Choice(msgspec.Struct):
    text: str = ""
    finish_reason: Optional[str] = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice]

    def said(self) -> Said:
        choice = self.choices[0] if self.choices else _Choice()
        return Said(choice.text, choice.finish_reason or "")


class OpenAI(TextDialect):
    """One model behind OpenAI's interface."""

    _path = "/v1/completions"
    _chunk = _Chunk

    async def open(self) -> LoadedModel:
        """See remote.base.Dialect."""
        models = (await self._server.get("/v1/models", Models)).data
        names = [model.id for model in models]
        self._model = only(names, self._wanted.model, self._server.address)
        shown = self._model.replace("\\", "/").split("/")[-1]
        self._spelt = spelt_in(shown)
        form = registry.form_of_model(shown, self._spelt) if self._spelt else FORM_OF_HALVES
        await self._probe(form)
        held = [model.max_model_len for model in models if model.id == self._model]
        window = self._wanted.window or registry.window_of_model(shown)
        note = f"OpenAI's completions at {self._server.address}, " + (
            "the marks spelt as models of this name do."
            if self._spelt
            else "which puts the suffix where it belongs: this model's marks are not known here."
        )
        return self._loaded("openai", shown, form, min([window, *filter(None, held)]), note)

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        body = {"model": self._model, "max_tokens": max_tokens, "temperature": 0}
        if self._spelt:
            stop = list(self._spelt.values())
            return body | {"prompt": spelt_out(prompt, self._spelt), "stop": stop}
        before, behind = halves(prompt)
        return body | {"prompt": before, "suffix": behind}
