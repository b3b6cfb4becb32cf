"""The HTTP client for one model server: JSON, and streams of JSON, within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import http.cookiejar
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from mistral_lsp.engine.limited import limited
from mistral_lsp.engine.remote.aside import aside
from mistral_lsp.engine.remote.failures import KEY_REFUSED, Body, Failures, ServerError
from mistral_lsp.engine.remote.key import from_environment, from_keyring
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import address_of, is_here, version_of
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import EngineError

LONGEST_LINE = 1 << 20
LONGEST_ANSWER = 8 << 20
"""Bytes. A longer answer is refused."""
LONGEST_REFUSAL = 1 << 16
BLOCK_COST = 256
"""Bytes added to each block's length, so that millions of tiny blocks are refused, too."""

CONNECTED = ".receive_response_headers.started"
"""The end of the event's name in httpx: the request is sent, and the answer is waited for."""

Kind = TypeVar("Kind")
Sign = Callable[[str, str, bytes], Awaitable[Mapping[str, str]]]
"""Gives the headers that sign a request, from its method, URL and body. May raise EngineError."""

for _chatty in ("httpx", "httpcore"):  # they log servers' messages and headers
    logging.getLogger(_chatty).setLevel(logging.WARNING)


class HttpClient:
    """The connections to one server."""

    def __init__(self, url: str, pace: Pace = Pace()):
        """Sends nothing. Raises EngineError for an unusable address or key."""
        self.address = address_of(url)
        self.version = version_of(url)
        self.pace = pace
        self.sign: Sign | None = None
        """Used while there is no key."""
        self.extra: dict[str, str] = {}
        """Fields of every body, for a server that finds the model by them."""
        self.below = ""
        """The beginning of every path, for a server that finds the model by it."""
        self._late: Callable[[], None] | None = None
        """Set while the server may be loading its model."""
        self._timer: asyncio.TimerHandle | None = None
        self.failures = Failures(self.address, from_environment())
        self._looked_for_key = bool(self.failures.key)
        self._client = self._connected()

    def _connected(self) -> httpx.AsyncClient:
        parts = urlsplit(self.address)
        try:
            httpx.URL(self.address)
            client = httpx.AsyncClient(
                timeout=self._timeout(),
                # Compression is not accepted: a small answer could unpack to a huge one.
                headers={"Accept-Encoding": "identity"},
                # No proxy may see requests that stay on this machine.
                trust_env=not is_here(parts.hostname or ""),
                verify=httpx.create_ssl_context() if parts.scheme == "https" else False,
            )
        except httpx.InvalidURL as error:
            raise EngineError(
                f"mistralLsp.httpUrl is {self.address!r}, which is no address of a server "
                f"({error})."
            ) from error
        except (ImportError, ValueError, OSError) as error:
            raise EngineError(
                f"The proxy or the certificates that the environment names won't do ({error}). "
                "Check HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE, then restart the editor."
            ) from error
        client.cookies.jar.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        return client

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    @contextlib.asynccontextmanager
    async def loading(self, late: Callable[[], None]) -> AsyncIterator[None]:
        """Gives the server time to load its model: `pace.load` for the whole block.

        Calls `late` once a connected server has been waited for as long as `pace.patience`.
        Raises ServerError when the time is over.
        """
        self._late = late
        try:
            async with limited(self.pace.load):
                yield
        except asyncio.TimeoutError as error:
            raise self.failures.endless() from error
        finally:
            self._late = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    async def _happened(self, event: str, info: Any) -> None:
        """Called by httpx at each step of a request while the server may be loading."""
        if event.endswith(CONNECTED) and self._late is not None and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.pace.patience, self._late)

    async def get(self, path: str, kind: type[Kind]) -> Kind:
        """Sends a GET request, for facts that need no computing. Raises ServerError."""
        async with self._opened("GET", path, None) as answer:
            return self._decode(await self._read(answer), kind)

    async def post(self, path: str, body: Body, kind: type[Kind]) -> Kind:
        """Sends a POST request and reads the whole answer. Raises ServerError."""
        async with self._opened("POST", path, body) as answer:
            return self._decode(await self._read(answer), kind)

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, body: Body, kind: type[Kind]
    ) -> AsyncIterator[AsyncIterator[Kind]]:
        """Streams an answer's JSON objects as they arrive: server-sent events, or one on each line.

        The stream ends at the event [DONE]. If a dialect has another end, the caller must stop
        iterating there. Leaving the block closes the connection, which tells the server to stop.
        Raises ServerError.
        """
        async with (
            self._opened("POST", path, body) as answer,
            contextlib.aclosing(self._objects(answer, body, kind)) as objects,
        ):
            yield objects

    @contextlib.asynccontextmanager
    async def blocks(self, path: str, body: Body) -> AsyncIterator[AsyncIterator[bytes]]:
        """Streams an answer's bytes as they arrive. See `stream`."""
        async with (
            self._opened("POST", path, body) as answer,
            contextlib.aclosing(self._blocks(answer, LONGEST_ANSWER)) as blocks,
        ):
            yield blocks

    async def _objects(
        self, answer: httpx.Response, body: Body, kind: type[Kind]
    ) -> AsyncGenerator[Kind, None]:
        async with contextlib.aclosing(self._lines(answer)) as lines:
            async for line in lines:
                data = line.removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    return
                if line.startswith(b"error:") or data.startswith(b'{"error"'):
                    raise self.failures.broken(data.removeprefix(b"error:"), body)
                if data.startswith(b"{"):  # else a comment or another field of an event
                    yield self._decode(data, kind)
        raise self.failures.broke_off()

    @contextlib.asynccontextmanager
    async def _opened(
        self, method: str, path: str, body: Body | None
    ) -> AsyncIterator[httpx.Response]:
        """Sends a request; gives the answer once its headers have arrived.

        Raises ServerError, also if the body breaks off while the block reads it.
        """
        answer = await self._begun(method, path, body)
        try:
            yield answer
        except httpx.HTTPError as error:
            raise self.failures.broke_off() from error
        finally:
            # A cancel in the middle of this would leave the connection open, and in use.
            await asyncio.shield(answer.aclose())

    async def _begun(self, method: str, path: str, body: Body | None) -> httpx.Response:
        pauses = iter(self.pace.retries)
        while True:
            try:
                return await self._sent(method, path, body)
            except ServerError as error:
                if error.status in KEY_REFUSED and await self._find_key():
                    continue
                pause = next(pauses, None)
                if pause is None or not error.passing:
                    raise
            await asyncio.sleep(pause)

    async def _sent(self, method: str, path: str, body: Body | None) -> httpx.Response:
        url = self._url(path)
        headers = {}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode({**self.extra, **body})
        headers.update(await self._proof(method, url, content or b""))
        request = self._client.build_request(
            method,
            url,
            headers=headers,
            content=content,
            timeout=self._timeout(),
            extensions={"trace": self._happened} if self._late else {},
        )
        try:
            async with limited(self._limit(self.pace.head)):
                answer = await self._client.send(request, stream=True)
        except (httpx.HTTPError, asyncio.TimeoutError) as error:
            raise self.failures.unreachable(error, body or {}) from error
        if answer.status_code != httpx.codes.OK:
            raise await self._refused(answer, path, body or {})
        if answer.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
            await answer.aclose()
            raise self.failures.strange("it packs its answers, and was asked not to", status=0)
        return answer

    def _url(self, path: str) -> str:
        """Gives a request's URL. Azure's addresses end where others go on with /v1."""
        if self.version:
            return f"{self.address}{path.removeprefix('/v1')}?{self.version}"
        return f"{self.address}{self.below}{path}"

    def _timeout(self) -> httpx.Timeout:
        silence = self._limit(self.pace.silence)
        return httpx.Timeout(silence, connect=self.pace.connect, write=self.pace.write)

    def _limit(self, usual: float) -> float:
        """Gives a time limit, which is longer while the server may be loading its model."""
        return self.pace.load if self._late else usual

    async def _proof(self, method: str, url: str, content: bytes) -> Mapping[str, str]:
        """Gives the headers that prove who sends a request."""
        key = self.failures.key
        if key:
            return {"api-key": key} if self.version else {"Authorization": f"Bearer {key}"}
        return await self.sign(method, url, content) if self.sign else {}

    async def _find_key(self) -> bool:
        """Reads the key from the keyring if the environment has none. True if it is found now.

        Called only after the server has asked for a key, since the keyring may need a password.
        """
        if not self._looked_for_key:
            self._looked_for_key = True
            self.failures.key = await aside(partial(from_keyring, self.address), "keyring")
            return bool(self.failures.key)
        return False

    async def _blocks(self, answer: httpx.Response, most: int) -> AsyncGenerator[bytes, None]:
        """Yields the raw blocks of an answer, up to `most` bytes. Raises ServerError."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._limit(self.pace.answer)
        async for block in answer.aiter_raw():
            most -= len(block) + BLOCK_COST
            if most < 0:
                raise self.failures.strange("more than was asked for")
            if clock() > end:
                raise self.failures.endless()
            yield block

    async def _lines(self, answer: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Yields lines, split only at line feeds: JSON may hold other line ends of `splitlines`."""
        rest = bytearray()
        async with contextlib.aclosing(self._blocks(answer, LONGEST_ANSWER)) as blocks:
            async for block in blocks:
                first, *others = block.split(b"\n")
                rest += first
                for other in others:
                    yield bytes(rest)
                    rest = bytearray(other)
                if len(rest) > LONGEST_LINE:
                    raise self.failures.strange("a line without an end")
        yield bytes(rest)

    async def _read(self, answer: httpx.Response, most: int = LONGEST_ANSWER) -> bytes:
        data = bytearray()
        async with contextlib.aclosing(self._blocks(answer, most)) as blocks:
            async for block in blocks:
                data += block
        return bytes(data)

    def _decode(self, data: bytes, kind: type[Kind]) -> Kind:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.failures.strange(one_line(str(error), 200)) from error

    async def _refused(self, answer: httpx.Response, path: str, body: Body) -> ServerError:
        """Reads the body of a refusal; gives the error for it."""
        try:
            data = await self._read(answer, LONGEST_REFUSAL)
        except (httpx.HTTPError, ServerError):
            data = b""
        finally:
            await answer.aclose()
        wait = answer.headers.get("Retry-After", "")
        return self.failures.refused(answer.status_code, path, data, body, wait)
