"""The base class of dialects with text prompts."""

from __future__ import annotations

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Protocol

from typing_extensions import override

from mistral_lsp.engine.limited import limited
from mistral_lsp.engine.remote.dialects.base import Dialect, Piece, only
from mistral_lsp.engine.remote.dialects.up_to_mark import UpToMark
from mistral_lsp.engine.remote.failures import RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.inference.sizes import most_suffix, read_again
from mistral_lsp.models.defuse import defused
from mistral_lsp.models.forms import reads_suffix_last
from mistral_lsp.models.marks import OPTIONAL
from mistral_lsp.types import LoadedModel, Part, Prompt, Usage

BYTES_PER_TOKEN = 3
"""For estimates of token counts. Usual vocabularies average more, so the estimates are high."""
MOST_STOPS = 4
"""OpenAI and TGI accept no more. The fill-in marks and that of files are the first four."""
FORM_OF_HALVES = "suffix-first-alone"
"""The form if prefix and suffix are sent separately: no limit for the suffix, no added space."""
NO_FILL_IN = (400, 422, 501)
"""Statuses of servers that reject a suffix."""
PROBE_LINE = "value = function(argument)\n"
PROBE_LINES = 96
PROBE_TOKENS = 5 * PROBE_LINES
"""Fewest tokens of the long probe. Used if the server does not count them."""
SHORTEST_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Said:
    """One JSON object of a streamed answer, in a form common to all dialects.

    `reason` tells why the answer ends at this object; "" if the answer goes on. `probabilities`
    has one number for each of its tokens; empty if the server tells none.
    """

    text: str
    reason: str = ""
    prompt_tokens: int = 0
    probabilities: Sequence[float] = ()


class Chunk(Protocol):
    """One object of an answer, in the server's format."""

    def said(self) -> Said:
        """Converts the object to the common format."""


class TextDialect(Dialect, ABC):
    """One model of a server with text prompts; see Dialect.

    A subclass adds `models`, `open`, `_body`, `_path` and `_chunk`; or `_chunks` for another kind
    of stream.
    """

    reads_ahead = False
    _path: str
    _chunk: ClassVar[type[Chunk]]
    _is_streamed: ClassVar[bool] = False
    """Whether the server only streams its answers."""

    def __init__(
        self, server: HttpClient, wanted: Wanted, clock: Callable[[], float] = time.perf_counter
    ):
        """Sends nothing yet; `wanted` has the model's name, or ""; `clock` is in seconds."""
        self._server = server
        self._wanted = wanted
        self._clock = clock
        self._model = wanted.model
        self._spelt: dict[str, str] = {}
        """The spellings of the model's marks; empty if the server adds the marks itself."""

    @override
    def means(self, name: str) -> bool:
        return name == self._model

    @abstractmethod
    @override
    async def open(self) -> LoadedModel: ...

    @abstractmethod
    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        """Gives the request's body without `stream`."""

    def _chunks(self, body: dict[str, Any]) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        """Streams the answer to a request."""
        return self._server.stream(self._path, body | {"stream": True}, self._chunk)

    async def _ask(self, body: dict[str, Any]) -> Said:
        """Gives the answer to a request as a whole. Of a stream, it has only the last text."""
        if not self._is_streamed:
            body = body | {"stream": False}
            return (await self._server.post(self._path, body, self._chunk)).said()
        said = Said("")
        async with self._chunks(body) as chunks:
            async for chunk in chunks:
                said = chunk.said()
                if said.reason:
                    break
        return said

    @override
    async def count(self, texts: Sequence[str]) -> list[int]:
        """An estimate."""
        return [-(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN) for text in texts]

    @override
    async def weigh(self, prompt: Prompt) -> list[int]:
        """An estimate. Optional marks are counted only if we spell them out."""
        texts = await self.count([part.text for part in prompt.parts])
        return [self._weight_of_mark(part) or tokens for part, tokens in zip(prompt.parts, texts)]

    def _weight_of_mark(self, part: Part) -> int:
        needed = bool(part.special) and not part.text and part.special not in OPTIONAL
        return int(needed or part.special in self._spelt)

    @override
    async def stream(self, prompt: Prompt, max_tokens: int) -> AsyncGenerator[Piece, None]:
        written, probability = 0, 1.0
        shown = UpToMark(spelling for name, spelling in self._spelt.items() if name != "bos")
        async with self._chunks(self._body(prompt, max_tokens)) as chunks:
            async for chunk in chunks:
                said = chunk.said()
                probability *= math.prod(said.probabilities)
                if said.text:
                    written += max(1, len(said.probabilities))
                if text := shown.read(said.text, bool(said.reason) or written >= max_tokens):
                    yield Piece(text, probability, Usage(generated_tokens=written))
                    probability = 1.0
                if said.reason or shown.is_over:
                    # A server that reports "length" has written `max_tokens`.
                    cut = said.reason == "length" and not shown.is_over
                    reached = max_tokens if cut else min(written, max_tokens - 1)
                    yield Piece("", 1.0, Usage(said.prompt_tokens, 0, reached))
                    return

    async def _probe(self, form: str, before: str = "", behind: str = "\n") -> Said:
        """Asks for one token, so that an unsuitable server is noticed at the start."""
        parts = (
            Part("mark", special="fim_suffix"),
            Part("suffix", behind),
            Part("mark", special="fim_prefix"),
            Part("prefix", f"{before}x ="),
            Part("mark", special="fim_middle"),
        )
        return await self._ask(self._body(Prompt(form, parts), 1))

    async def _fill_in(self, form: str) -> None:
        """Probes a server; adds advice to its error if it rejects the suffix."""
        try:
            await self._probe(form)
        except ServerError as error:
            if self._spelt or error.status not in NO_FILL_IN:
                raise
            raise ServerError(
                f"{error} It may not fill in with the model {self._model}: serve one that was "
                "taught to, like Qwen2.5-Coder, and set mistralLsp.httpModel to a name that says "
                "so.",
                RARELY_SECONDS,
                status=error.status,
            ) from error

    async def _reading_rate(self, form: str) -> float:
        """Measures how many tokens a second the server reads; 0 for one that is slow or busy.

        The time of reading is the difference between a long probe and a short one. The long
        probe's first line is always new, so that no prompt cache has it.
        """
        long = f"# {time.time_ns()}\n{PROBE_LINE * PROBE_LINES}"
        try:
            async with limited(self._server.pace.measure):
                begun = self._clock()
                await self._probe(form)
                between = self._clock()
                said = await self._probe(form, long)
                seconds = (self._clock() - between) - (between - begun)
        except (asyncio.TimeoutError, ServerError):
            return 0.0
        return (said.prompt_tokens or PROBE_TOKENS) / max(seconds, SHORTEST_SECONDS)

    async def _loaded(
        self, engine: str, name: str, form: str, window: int, note: str
    ) -> LoadedModel:
        shown = self._server.failures.name(name)
        suffix = window
        if reads_suffix_last(form):
            suffix = most_suffix(await self._reading_rate(form))
            note += f" {read_again(suffix)}"
        return LoadedModel(engine, shown, form, window, window, window, note, most_suffix=suffix)

    def _only(self, models: Sequence[str]) -> str:
        """Gives the model named in the settings, else the server's only one. Raises ServerError."""
        return self._wanted.model or only(models, self._server)


def spelt_out(prompt: Prompt, spelt: Mapping[str, str]) -> str:
    """Gives the prompt as one text. A mark is written as in `spelt`, or else as its part has it.

    The server adds BOS, and the space that some vocabularies put before the first word.
    """
    text = ""
    # Neighbouring texts are defused together, since a mark may span two.
    for is_mark, parts in groupby(prompt.parts, lambda part: bool(part.special)):
        if is_mark:
            text += "".join(spelt.get(part.special, part.text) for part in parts)
        else:
            text += defused("".join(part.text for part in parts))
    return text.removeprefix(" ") if prompt.form == "instructed" else text


def stops(spelt: Mapping[str, str]) -> list[str]:
    """Gives the marks that end an answer, by their spellings: at most MOST_STOPS."""
    return list(spelt.values())[:MOST_STOPS]


def halves(prompt: Prompt) -> tuple[str, str]:
    """Gives prefix and suffix, for a server that adds the marks itself."""
    before = [part.text for part in prompt.parts if part.label not in ("suffix", "path")]
    behind = [part.text for part in prompt.parts if part.label == "suffix"]
    return defused("".join(before)), defused("".join(behind))
