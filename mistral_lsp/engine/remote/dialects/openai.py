"""The dialect of most servers: OpenAI's legacy completions API.

Source: OpenAI's reference of POST /v1/completions and GET /v1/models, and the corresponding pages
of vLLM and llama-cpp-python.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Optional, Union

import msgspec
from typing_extensions import override

from mistral_lsp.engine.remote.dialects.texts import (
    FORM_OF_HALVES,
    NO_FILL_IN,
    PROBE_LINE,
    Said,
    TextDialect,
    halves,
    spelt_out,
    stops,
)
from mistral_lsp.engine.remote.failures import NO_SUCH_PATH, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.models import registry
from mistral_lsp.models.marks import form_of, spelt_in
from mistral_lsp.types import LoadedModel, Prompt

UNTOLD = (0, 200, 400, 422, 500, 501)
"""Statuses of servers that reject `logprobs`; some answer 200 with an error body.

0 stands for none: mlx-lm closes the connection.
"""
IGNORED_LINES = 16
"""Lines of a suffix that must make a prompt longer, unless the server ignores suffixes."""


class _Model(msgspec.Struct):
    id: str
    max_model_len: Any = None
    context_length: Any = None

    def window(self) -> int:
        """Gives the model's window, as vLLM or Together.ai name it; 0 if it is told nowhere."""
        return _count(self.max_model_len) or _count(self.context_length)


class _Models(msgspec.Struct):
    data: list[_Model]


LISTING: Any = Union[_Models, list[_Model]]
"""The answer to GET /v1/models. Together.ai's is the list alone."""


class _Choice(msgspec.Struct):
    text: str = ""
    finish_reason: Optional[str] = None
    logprobs: Any = None

    def probabilities(self) -> list[float]:
        """Gives the probability of each token; empty if the server tells none."""
        told = _field(self.logprobs, "token_logprobs")
        logs = map(_probability, told if isinstance(told, list) else [])
        return [one for one in logs if one is not None]


class _Chunk(msgspec.Struct):
    """One object of an answer; Together.ai has the last two fields beside the choices.

    A field that only helps may be of any type, since other servers use its name otherwise.
    """

    choices: list[_Choice]
    usage: Any = None
    finish_reason: Any = None
    token: Any = None

    def said(self) -> Said:
        choice = self.choices[0] if self.choices else _Choice()
        reason = choice.finish_reason or self.finish_reason
        tokens = _count(_field(self.usage, "prompt_tokens"))
        probabilities = choice.probabilities()
        only = _probability(_field(self.token, "logprob"))
        if only is not None and not probabilities:
            probabilities = [only]
        return Said(choice.text, reason if isinstance(reason, str) else "", tokens, probabilities)


def _field(value: Any, name: str) -> Any:
    """Gives a field of what may be no object."""
    return value.get(name) if isinstance(value, dict) else None


def _probability(log: Any) -> float | None:
    """Gives the probability of a token; None if its logarithm is no number."""
    return math.exp(min(0.0, log)) if isinstance(log, (int, float)) else None


def _count(value: Any) -> int:
    """Gives what should be a count; 0 if it is none."""
    return value if type(value) is int and value > 0 else 0


class OpenAI(TextDialect):
    """One model behind OpenAI's interface; see Dialect."""

    _path = "/v1/completions"
    _chunk = _Chunk

    def __init__(
        self, server: HttpClient, wanted: Wanted, clock: Callable[[], float] = time.perf_counter
    ):
        super().__init__(server, wanted, clock)
        self._takes_suffix = True
        self._tells = True

    @override
    async def models(self) -> list[str]:
        return [model.id for model in await self._listed()]

    @override
    async def open(self) -> LoadedModel:
        models = await self._known()
        names = [model.id for model in models]
        self._model = self._only(names)
        shown = self._model.replace("\\", "/").split("/")[-1]
        self._spelt = spelt_in(shown)
        form = await self._agree(shown)
        window = self._wanted.window or registry.window_of_model(shown)
        held = [model.window() for model in models if model.id == self._model]
        note = f"OpenAI's completions at {self._server.address}, {self._how()}"
        return await self._loaded("openai", shown, form, min([window, *filter(None, held)]), note)

    async def _known(self) -> list[_Model]:
        """Gives the server's models. A server without a list needs a name in the settings."""
        try:
            return await self._listed()
        except ServerError as error:
            if self._wanted.model and error.status in NO_SUCH_PATH:
                return []
            raise

    async def _listed(self) -> list[_Model]:
        listing = await self._server.get("/v1/models", LISTING)
        models: list[_Model] = listing if isinstance(listing, list) else listing.data
        return models

    async def _agree(self, name: str) -> str:
        """Finds a fill-in form that the server accepts for the model `name`. Raises ServerError."""
        if self._spelt:
            form = form_of(self._spelt, name)
            await self._try(form)
            return form
        try:
            short = (await self._try(FORM_OF_HALVES)).prompt_tokens
            if not short or short < await self._length_with_suffix():
                return FORM_OF_HALVES
        except ServerError as error:
            if error.status not in NO_FILL_IN:
                raise
        self._takes_suffix = False
        form = form_of({}, name)
        await self._try(form)
        return form

    async def _length_with_suffix(self) -> int:
        """Gives the tokens of a probe with a long suffix: some servers ignore every suffix."""
        said = await self._probe(FORM_OF_HALVES, behind="\n" + PROBE_LINE * IGNORED_LINES)
        return said.prompt_tokens

    async def _try(self, form: str) -> Said:
        """Probes the server with the form; also learns whether it tells probabilities."""
        self._tells = True
        try:
            said = await self._probe(form)
            self._tells = bool(said.probabilities)
        except ServerError as error:
            if error.status not in UNTOLD:
                raise
            self._tells = False
            said = await self._probe(form)
        return said

    def _how(self) -> str:
        if self._spelt:
            return "the marks spelt as models of this name do."
        if self._takes_suffix:
            return "which puts the suffix where it belongs: this model's marks are not known here."
        return (
            "in plain text: this server takes no suffix, and this model's marks are not known "
            "here. One that was taught to fill in, like Qwen2.5-Coder, answers better."
        )

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        if self._tells:
            body["logprobs"] = 1
        if self._spelt:
            body["stop"] = stops(self._spelt)
        if self._takes_suffix and not self._spelt:
            before, behind = halves(prompt)
            return body | {"prompt": before, "suffix": behind}
        return body | {"prompt": spelt_out(prompt, self._spelt)}
