"""The dialect that most servers speak: OpenAI's older completions.

Source: OpenAI's reference of POST /v1/completions and GET /v1/models, and vLLM's and
llama-cpp-python's of theirs.
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


PROBE = (
    Part("mark", special="fim_suffix"),
    Part("suffix", "\n"),
    Part("mark", special="fim_prefix"),
    Part("prefix", "x ="),
    Part("mark", special="fim_middle"),
)


class OpenAI:
    """One model of a server; see remote.base.Dialect."""

    reads_ahead = False

    def __init__(self, server: Server, wanted: Wanted):
        """Asks nothing yet."""
        self._server = server
        self._wanted = wanted
        self._model = wanted.model
        self._spelt: dict[str, str] = {}

    async def open(self) -> LoadedModel:
        """See Dialect. Asks for one token, so that what won't do is known before anybody types."""
        models = (await self._server.get("/v1/models", Models)).data
        names = [model.id for model in models]
        self._model = only(names, self._wanted.model, self._server.address)
        shown = self._model.replace("\\", "/").split("/")[-1]
        self._spelt = spelt_in(shown)
        known = registry.called(shown)
        form = FORM_OF_HALVES
        if self._spelt:
            form = (known and known.form) or form_of(self._spelt, shown)
        window = self._wanted.window or (known and known.window) or registry.DEFAULT_WINDOW
        held = [model.max_model_len for model in models if model.id == self._model]
        window = min([window, *filter(None, held)])
        await self._server.post("/v1/completions", self._body(Prompt(form, PROBE), 1), _Chunk)
        note = f"OpenAI's completions at {self._server.address}, " + (
            "the marks spelt as models of this name do."
            if self._spelt
            else "which puts the suffix where it belongs: this model's marks are not known here."
        )
        return LoadedModel("openai", shown, form, window, window, window, note)

    async def count(self, texts: Sequence[str]) -> list[int]:
        """See Dialect: an estimate."""
        return estimate(texts)

    async def stream(self, prompt: Prompt, max_tokens: int) -> AsyncIterator[Piece]:
        """See Dialect."""
        body = self._body(prompt, max_tokens) | {"stream": True}
        usage = Usage()
        async with self._server.stream("/v1/completions", body, _Chunk) as chunks:
            async for chunk in chunks:
                for choice in chunk.choices[:1]:
                    if choice.text:
                        usage = Usage(generated_tokens=usage.generated_tokens + 1)
                        yield Piece(choice.text, 1.0, usage)
                    if choice.finish_reason:
                        yield Piece("", 1.0, at_limit(usage, choice.finish_reason, max_tokens))
                        return

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        body = {"model": self._model, "max_tokens": max_tokens, "temperature": 0}
        if self._spelt:
            stop = list(self._spelt.values())
            return body | {"prompt": spelt_out(prompt, self._spelt), "stop": stop}
        before, behind = halves(prompt)
        return body | {"prompt": before, "suffix": behind}
