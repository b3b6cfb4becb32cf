"""The dialect of llama.cpp's llama-server: it takes token ids, and reports its own timings.

Sources: the page on its HTTP interface in llama.cpp's repository, tools/server/README.md; for
llama-swap, which starts such servers, README.md and internal/server in its repository.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from typing_extensions import override

from mistral_lsp.engine.limited import limited
from mistral_lsp.engine.remote.dialects.base import Dialect, Piece, only
from mistral_lsp.engine.remote.dialects.llama_tokens import Byte, Tokens
from mistral_lsp.engine.remote.failures import SOON_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.inference.shelf import common_prefix
from mistral_lsp.inference.sizes import most_suffix, read_again, sizes
from mistral_lsp.models import registry
from mistral_lsp.models.forms import reads_suffix_last
from mistral_lsp.models.marks import form_of, warning
from mistral_lsp.types import EngineError, LoadedModel, Prompt, Usage

PROBE = "value = function(argument)\n" * 24
CHUNK_SECONDS = 0.1
"""Seconds. After a stop, the server goes on reading the prompt for at most this long."""
SMALLEST_CHUNK = 32
RIVALS = 16
"""Number of most probable tokens to request, to find others that could begin the healed word."""
NO_PROPERTIES = 404
"""The status of llama-swap, which has no properties of its own."""
LARGEST_RATIO = 80.0
"""Limit for a difference of log probabilities, so that `exp` does not overflow."""


class _Defaults(msgspec.Struct):
    n_ctx: Annotated[int, msgspec.Meta(ge=0)]


class Properties(msgspec.Struct):
    """The server's answer to GET /props. Other servers answer there, too, but without the path."""

    default_generation_settings: _Defaults
    model_path: str
    model_alias: str = ""
    chat_template: str = ""
    role: str = ""

    @property
    def is_router(self) -> bool:
        """Whether this is a server in front of several, one for each model."""
        return self.role == "router"

    @property
    def name(self) -> str:
        """The name of the server's model."""
        return (self.model_alias or self.model_path).replace("\\", "/").split("/")[-1]


class _Listed(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Listed]


class _Timings(msgspec.Struct):
    prompt_n: Annotated[int, msgspec.Meta(ge=0)] = 0
    prompt_per_second: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0


class _Choice(msgspec.Struct):
    logprob: float = 0.0
    bytes: list[Byte] = []


class _Chosen(_Choice):
    top_logprobs: list[_Choice] = []

    def probability(self, owed: bytes) -> float:
        """Gives the token's probability; with `owed`, its share among tokens that fit `owed`."""
        own = min(0.0, self.logprob)
        if not owed:
            return math.exp(own)
        rivals = (
            min(0.0, one.logprob)
            for one in self.top_logprobs
            if one.bytes != self.bytes and _writes(bytes(one.bytes), owed)
        )
        return 1.0 / (1.0 + sum(math.exp(min(rival - own, LARGEST_RATIO)) for rival in rivals))


class _Chunk(msgspec.Struct):
    content: str = ""
    stop: bool = False
    stop_type: str = ""
    timings: _Timings = msgspec.field(default_factory=_Timings)
    completion_probabilities: list[_Chosen] = []


class LlamaServer(Dialect):
    """One llama-server with one model; see Dialect."""

    reads_ahead = True

    def __init__(
        self, server: HttpClient, wanted: Wanted, clock: Callable[[], float] = time.perf_counter
    ):
        """Sends nothing yet; `clock` is in seconds."""
        self._server = server
        self._wanted = wanted
        self._clock = clock
        self._tokens = Tokens(server)
        self._properties: Properties | None = None
        self._props = "/props"
        self._heard_at = 0.0
        self._window = 0
        self._chunk = SMALLEST_CHUNK
        self._held: list[int] = []

    @override
    async def models(self) -> list[str]:
        front = await self._front()
        if front is None or front.is_router:
            return await self._listed(front)
        return [front.name]

    @override
    def means(self, name: str) -> bool:
        return name == self._wanted.model

    @override
    async def open(self) -> LoadedModel:
        """Also measures the reading speed if the windows or the suffix depend on it."""
        properties = await self._chosen()
        self._properties = properties
        await self._tokens.learn()
        name = properties.name
        template = properties.chat_template
        form = form_of(self._tokens.spelt, name, template)
        limit = registry.window_of_model(name)
        context = properties.default_generation_settings.n_ctx
        self._window = min(self._wanted.window or limit, context or limit)
        working, suffix, rate = self._window, self._window, 0.0
        note = f"llama-server at {self._server.address}."
        if not self._wanted.window:
            rate = await self._measure()
            _, working = sizes(rate, self._window, fixed=False)
        elif reads_suffix_last(form):
            rate = await self._measure_in_passing()
        if reads_suffix_last(form):
            suffix = most_suffix(rate)
            note += f" {read_again(suffix)}"
        if advice := warning(form, name, template):
            note += f" {advice}"
        shown = self._server.failures.name(name)
        return LoadedModel(
            "llama-server",
            shown,
            form,
            self._window,
            working,
            working,
            note,
            can_abort=False,
            most_suffix=suffix,
        )

    @override
    async def count(self, texts: Sequence[str]) -> list[int]:
        return await self._tokens.count(texts)

    @override
    async def weigh(self, prompt: Prompt) -> list[int]:
        parts, _ = await self._tokens.parts(prompt)
        return list(map(len, parts))

    @override
    async def stream(self, prompt: Prompt, max_tokens: int) -> AsyncGenerator[Piece, None]:
        await self._check_model()
        ids, owed = await self._tokens.prompt(prompt)
        if len(ids) + max_tokens > self._window:
            raise EngineError(
                f"The prompt has {len(ids)} tokens; {max_tokens} more don't fit "
                f"into a window of {self._window}. Lower mistralLsp.maxTokens."
            )
        usage = Usage(len(ids))
        yield Piece("", 1.0, usage)
        while beginning := self._unread(ids):
            usage = Usage(len(ids), usage.evaluated_tokens + await self._read(beginning))
            yield Piece("", 1.0, usage)
        body = _request(ids, max_tokens) | (_beginning(owed) if owed else {})
        left, owing = len(owed), owed.encode()
        async with self._server.stream("/completion", body, _Chunk) as chunks:
            async for chunk in chunks:
                self._held = ids
                self._heard_at = self._clock()
                said = chunk.completion_probabilities
                if not usage.generated_tokens:
                    usage = Usage(len(ids), usage.evaluated_tokens + chunk.timings.prompt_n)
                if chunk.stop or any(not token.bytes for token in said):
                    # The end of the answer, or a special token, which has no text.
                    reached = max_tokens if chunk.stop_type == "limit" else usage.generated_tokens
                    yield Piece("", 1.0, Usage(len(ids), usage.evaluated_tokens, reached))
                    return
                written = usage.generated_tokens + len(said)
                usage = Usage(len(ids), usage.evaluated_tokens, written)
                fresh, left = chunk.content[left:], max(0, left - len(chunk.content))
                probability = 1.0
                for token in said:
                    probability *= token.probability(owing)
                    owing = owing[len(token.bytes) :]
                yield Piece(fresh, probability, usage)

    def _unread(self, ids: list[int]) -> list[int]:
        """Gives the prompt up to the end of the next unread chunk; empty if that is the last chunk.

        Each chunk is a request, since a server notices a closed connection only between requests.
        The chunks read so far stay in the server's KV cache.
        """
        reached = common_prefix(self._held, ids) + self._chunk
        return ids[:reached] if reached < len(ids) else []

    async def _read(self, ids: list[int]) -> int:
        """Makes the server read a prompt; gives the number of tokens that it evaluated."""
        timings = (await self._server.post("/completion", _reading(ids), _Chunk)).timings
        self._held = ids
        self._learn_rate(timings)
        return timings.prompt_n

    def _learn_rate(self, timings: _Timings) -> None:
        """Sizes the next chunk by the reading speed. Few tokens give no reliable speed."""
        if timings.prompt_n >= SMALLEST_CHUNK:
            self._chunk = max(SMALLEST_CHUNK, int(timings.prompt_per_second * CHUNK_SECONDS))

    async def _ask(self) -> Properties:
        properties = await self._server.get(self._props, Properties)
        self._heard_at = self._clock()
        return properties

    async def _front(self) -> Properties | None:
        """Asks the server at the address itself. Gives None for llama-swap, which has no model."""
        self._server.below = ""
        try:
            return await self._ask()
        except ServerError as error:
            if error.status != NO_PROPERTIES:
                raise
        return None

    async def _listed(self, front: Properties | None) -> list[str]:
        models = await self._server.get("/models" if front else "/v1/models", _Models)
        return [model.id for model in models.data]

    async def _chosen(self) -> Properties:
        """Gives the properties of the server of one model.

        A router and llama-swap first load the model of the settings, or their only one.
        """
        front = await self._front()
        if front is not None and not front.is_router:
            return front
        name = self._wanted.model or only(await self._listed(front), self._server)
        if front is None:
            self._server.below = f"/upstream/{quote(name)}"
        else:
            self._server.extra = {"model": name}
            self._props = f"/props?model={quote(name, safe='')}"
        return await self._ask()

    async def _check_model(self) -> None:
        """Raises ServerError if the server may have another model, whose token ids differ."""
        if self._clock() - self._heard_at <= self._server.pace.trusted:
            return
        try:
            properties = await asyncio.wait_for(self._ask(), self._server.pace.check)
        except asyncio.TimeoutError as error:
            raise ServerError(
                f"The server at {self._server.address} does not answer.", SOON_SECONDS
            ) from error
        if properties != self._properties:
            raise ServerError(
                f"The server at {self._server.address} has another model now.", SOON_SECONDS
            )

    async def _measure_in_passing(self) -> float:
        """Measures the speed like `_measure`; gives 0 for a server that is slow or busy."""
        try:
            async with limited(self._server.pace.measure):
                return await self._measure()
        except (asyncio.TimeoutError, ServerError):
            return 0.0

    async def _measure(self) -> float:
        """Measures the server's reading speed, in tokens per second."""
        [ids] = await self._tokens.of([PROBE])
        body = _reading(ids) | {"cache_prompt": False}
        timings = (await self._server.post("/completion", body, _Chunk)).timings
        self._learn_rate(timings)
        return timings.prompt_per_second


def _reading(ids: Sequence[int]) -> dict[str, Any]:
    """Gives a request that only reads a prompt. It asks for 1 token: some versions crash on 0."""
    return {"prompt": ids, "n_predict": 1, "cache_prompt": True}


def _request(ids: Sequence[int], max_tokens: int) -> dict[str, Any]:
    return _reading(ids) | {
        "n_predict": max(1, max_tokens),
        "samplers": ["top_k"],
        "top_k": 1,
        "temperature": 0.0,
        "n_probs": 1,
        "stream": True,
        "timings_per_token": True,
    }


def _beginning(owed: str) -> dict[str, Any]:
    """Gives request fields that force the answer to begin with `owed`, and report rival tokens."""
    spelt = "".join(f"\\U{ord(character):08X}" for character in owed)
    return {"grammar": f'root ::= "{spelt}" [^\\x00]*', "n_probs": RIVALS}


def _writes(piece: bytes, owed: bytes) -> bool:
    """Whether one of the two byte strings begins with the other."""
    return bool(piece) and (piece.startswith(owed) or owed.startswith(piece))
