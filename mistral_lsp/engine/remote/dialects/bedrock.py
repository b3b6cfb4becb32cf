"""The dialect of Mistral's models on Amazon Bedrock.

Source: the page on InvokeModelWithResponseStream in Bedrock's API reference, and the page on
Mistral's text completion in its user guide.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Any, Optional
from urllib.parse import quote

import msgspec
from typing_extensions import override

from mistral_lsp.engine.remote.aside import aside
from mistral_lsp.engine.remote.aws import Signature
from mistral_lsp.engine.remote.dialects.texts import Said, TextDialect, spelt_out
from mistral_lsp.engine.remote.failures import RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.models import registry
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import LoadedModel, Prompt

FORM = "instructed"
"""Bedrock has only models that follow instructions."""
BOS = "<s>"
"""Bedrock adds no mark by itself."""


class _Output(msgspec.Struct):
    text: str = ""
    stop_reason: Optional[str] = None


class _Metrics(msgspec.Struct, rename="camel"):
    input_token_count: Annotated[int, msgspec.Meta(ge=0)] = 0


class _Chunk(msgspec.Struct):
    outputs: list[_Output]
    metrics: _Metrics = msgspec.field(
        name="amazon-bedrock-invocationMetrics", default_factory=_Metrics
    )

    def said(self) -> Said:
        output = self.outputs[0] if self.outputs else _Output()
        return Said(output.text, output.stop_reason or "", self.metrics.input_token_count)


class _Payload(msgspec.Struct):
    data: bytes = msgspec.field(name="bytes")
    """Sent as base64."""


class Bedrock(TextDialect):
    """One of Mistral's models on Bedrock; see Dialect.

    Without a key, botocore signs the requests with the credentials that it finds.
    """

    _chunk = _Chunk
    _is_streamed = True

    def __init__(self, server: HttpClient, wanted: Wanted, clock: Callable[[], float]):
        super().__init__(server, wanted, clock)
        self._spelt = {"bos": BOS}
        self._new_buffer: Callable[[], Any]

    @override
    async def models(self) -> list[str]:
        raise ServerError(
            "Amazon Bedrock lists its models only in the AWS console. Set mistralLsp.httpModel to "
            "the id of one of Mistral's models.",
            RARELY_SECONDS,
        )

    @override
    async def open(self) -> LoadedModel:
        self._model = self._only([])
        self._new_buffer = await aside(_buffer_class, "botocore")  # the import takes long
        self._path = f"/model/{quote(self._model, safe='')}/invoke-with-response-stream"
        if not self._server.failures.key:
            self._server.sign = Signature(self._server).headers
        await self._probe(FORM)
        window = self._wanted.window or registry.DEFAULT_WINDOW
        note = f"Amazon Bedrock at {self._server.address}."
        return await self._loaded("bedrock", self._model, FORM, window, note)

    @override
    @asynccontextmanager
    async def _chunks(self, body: dict[str, Any]) -> AsyncIterator[AsyncIterator[_Chunk]]:
        async with (
            self._server.blocks(self._path, body) as blocks,
            aclosing(self._read(blocks, body)) as chunks,
        ):
            yield chunks

    async def _read(
        self, blocks: AsyncIterator[bytes], body: dict[str, Any]
    ) -> AsyncGenerator[_Chunk, None]:
        failures = self._server.failures
        buffer = self._new_buffer()
        try:
            async for block in blocks:
                for message in _messages(buffer, block):
                    if message.headers.get(":message-type") != "event":
                        raise failures.broken(message.payload, body)
                    yield _chunk_in(message)
        except (ValueError, RecursionError) as error:  # includes msgspec's errors
            raise failures.strange(one_line(str(error), 200)) from error
        raise failures.broke_off()

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        return {
            "prompt": spelt_out(prompt, self._spelt),
            "max_tokens": max(1, max_tokens),
            "temperature": 0,
        }


def _buffer_class() -> Callable[[], Any]:
    """Gives botocore's reader of event streams. Raises ServerError without botocore."""
    try:
        from botocore.eventstream import EventStreamBuffer
    except ImportError as error:
        raise ServerError(
            "Amazon Bedrock needs botocore. Run: pip install 'mistral-lsp[bedrock]'. Then restart "
            "the editor.",
            RARELY_SECONDS,
        ) from error
    buffer: Callable[[], Any] = EventStreamBuffer
    return buffer


def _messages(buffer: Any, block: bytes) -> Iterator[Any]:
    """Yields the messages that `block` completes. Raises ValueError for a broken one."""
    buffer.add_data(block)
    try:
        yield from buffer
    except Exception as error:  # noqa: BLE001 - botocore raises many types for broken messages
        raise ValueError("a broken message") from error


def _chunk_in(message: Any) -> _Chunk:
    payload = msgspec.json.decode(message.payload, type=_Payload)
    return msgspec.json.decode(payload.data, type=_Chunk)
