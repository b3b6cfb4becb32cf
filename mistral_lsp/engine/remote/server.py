"""Talks HTTP with a server: JSON, lines of a stream, and what its failures mean to the user."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from mistral_lsp.engine.base import EngineError
from mistral_lsp.engine.remote.key import KEY_VARIABLE, SERVICE, from_environment, from_keyring
from mistral_lsp.engine.remote.wanted import address_of, is_here

TIMEOUT = httpx.Timeout(60.0, connect=5.0, write=15.0)
"""Seconds. A slow server says nothing while it reads a long prompt."""
PAUSES = (0.1, 0.4)
"""Seconds before a request is sent again, as long as nothing of its answer has come."""
LONGEST_LINE = 1 << 20
LONGEST_ANSWER = 16 << 20
"""Bytes. What no server of a model says at once is not read."""
LONGEST_DETAIL = 200
TELLING_LINE = 12
"""Characters of a line of code that a server's message must not repeat."""
SOON_SECONDS = 0.5
RARELY_SECONDS = 30.0
KEY_REFUSED = (401, 403)
BUSY = (429, 503)
REQUEST_AT_FAULT = (400, 413, 422)
"""Statuses by which another request may do."""

Kind = TypeVar("Kind")
Body = Mapping[str, Any]


class ServerError(EngineError):
    """The server is not there, or does not do what it is asked for; it may after `seconds`.

    `lost`: nothing else can be asked of it meanwhile. `passing`: the same request may do at once.
    `status` is that of HTTP, or 0.
    """

    def __init__(
        self,
        message: str,
        seconds: float,
        lost: bool = True,
        passing: bool = False,
        status: int = 0,
    ):
        """See the class."""
        super().__init__(message)
        self.seconds = seconds
        self.lost = lost
        self.passing = passing
        self.status = status


class Server:
    """One server at one address."""

    def __init__(self, url: str):
        """Asks nothing yet. Raises EngineError for an address or a key that won't do."""
        self.address = address_of(url)
        self._key = from_environment()
        self._looked_for_key = bool(self._key)
        self._client = self._connected()

    def _connected(self) -> httpx.AsyncClient:
        parts = urlsplit(self.address)
        try:
            httpx.URL(self.address)
            return httpx.AsyncClient(
                timeout=TIMEOUT,
                # What stays on this machine must not go through a proxy, which would see it all.
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

    async def close(self) -> None:
        """Ends all connections."""
        await self._client.aclose()

    async def get(self, path: str, kind: type[Kind]) -> Kind:
        """What the server has at a path, which no work is needed for. Raises ServerError."""
        async with self._opened("GET", path, None) as answer:
            return self._decode(await self._read(answer), kind)

    async def post(self, path: str, body: Body, kind: type[Kind]) -> Kind:
        """What the server answers at once. Raises ServerError."""
        async with self._opened("POST", path, body) as answer:
            return self._decode(await self._read(answer), kind)

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, body: Body, kind: type[Kind]
    ) -> AsyncIterator[AsyncIterator[Kind]]:
        """The objects of an answer as they come, of server-sent events or a JSON object a line.

        They end at the mark [DONE]; whoever knows another end stops there. Leaving closes the
        connection, by which a server knows that nobody wants the rest. Raises ServerError.
        """
        async with (
            self._opened("POST", path, body) as answer,
            contextlib.aclosing(self._objects(answer, body, kind)) as objects,
        ):
            yield objects

    async def _objects(
        self, answer: httpx.Response, body: Body, kind: type[Kind]
    ) -> AsyncGenerator[Kind, None]:
        async with contextlib.aclosing(self._lines(answer)) as lines:
            async for line in lines:
                data = line.removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    return
                if line.startswith(b"error:") or data.startswith(b'{"error"'):
                    raise self._broken(body, data.removeprefix(b"error:"))
                if data.startswith(b"{"):  # else a comment or another field of an event
                    yield self._decode(data, kind)
        raise self._broke_off()

    @contextlib.asynccontextmanager
    async def _opened(
        self, method: str, path: str, body: Body | None
    ) -> AsyncIterator[httpx.Response]:
        """An answer of which nothing but the head was read yet; its end may be an error, too."""
        answer = await self._begun(method, path, body)
        try:
            yield answer
        except httpx.HTTPError as error:
            raise self._broke_off() from error
        finally:
            await answer.aclose()

    def _broke_off(self) -> ServerError:
        """What an answer without its end means."""
        return ServerError(
            f"The server at {self.address} broke off in the middle of an answer. "
            "Look into its log, if that happens again.",
            SOON_SECONDS,
        )

    async def _begun(self, method: str, path: str, body: Body | None) -> httpx.Response:
        pauses = iter(PAUSES)
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
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(body)
        request = self._client.build_request(
            method, self.address + path, headers=headers, content=content
        )
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if answer.status_code != httpx.codes.OK:
            raise await self._refused(answer, path, body or {})
        return answer

    async def _find_key(self) -> bool:
        """Looks into the keyring, where the environment has no key; only once the server wants one,
        for to look may ask the user for a password.
        """
        if not self._looked_for_key:
            self._looked_for_key = True
            self._key = await asyncio.to_thread(from_keyring, self.address)
            return bool(self._key)
        return False

    async def _lines(self, answer: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Lines end at line feeds and nowhere else: JSON may hold what str calls a line's end."""
        rest = b""
        async for block in answer.aiter_bytes():
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > LONGEST_LINE:
                raise self._strange("a line without an end")
        yield rest

    async def _read(self, answer: httpx.Response) -> bytes:
        data = b""
        async for block in answer.aiter_bytes():
            data += block
            if len(data) > LONGEST_ANSWER:
                raise self._strange("more than was asked for")
        return data

    def _decode(self, data: bytes, kind: type[Kind]) -> Kind:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._strange(str(error)) from error

    def _strange(self, what: str) -> ServerError:
        return ServerError(
            f"The server at {self.address} answers otherwise than was expected ({what}). "
            "Check mistralLsp.httpUrl and mistralLsp.httpDialect.",
            RARELY_SECONDS,
            status=200,
        )

    def _unreachable(self, error: httpx.HTTPError) -> ServerError:
        return ServerError(
            f"The server at {self.address} can't be reached ({_what(error)}). "
            "Start it, or check mistralLsp.httpUrl.",
            SOON_SECONDS,
            passing=not isinstance(error, httpx.TimeoutException),
        )

    def _broken(self, body: Body, data: bytes) -> ServerError:
        detail = _detail(data, body)
        return ServerError(
            f"The server at {self.address} failed while it answered{detail}. Look into its log.",
            SOON_SECONDS,
        )

    async def _refused(self, answer: httpx.Response, path: str, body: Body) -> ServerError:
        """What an answer that is no success means."""
        status = answer.status_code
        try:
            detail = _detail(await self._read(answer), body)
        except httpx.HTTPError:
            detail = ""
        finally:
            await answer.aclose()
        sentence, seconds = self._meaning(status, path, detail)
        wait = answer.headers.get("Retry-After", "")
        if status in BUSY and wait.isdigit():
            seconds = min(float(wait), RARELY_SECONDS)
        passing = status in BUSY and seconds < RARELY_SECONDS
        return ServerError(sentence, seconds, status not in REQUEST_AT_FAULT, passing, status)

    def _meaning(self, status: int, path: str, detail: str) -> tuple[str, float]:
        """A sentence, and the seconds after which it is worth asking again."""
        where = f"The server at {self.address}"
        if status in KEY_REFUSED:
            return self._about_key(where, status), RARELY_SECONDS
        if status == 404:
            return (
                f"{where} does not know {path} or the model (404{detail}). Check "
                "mistralLsp.httpUrl, mistralLsp.httpDialect and mistralLsp.httpModel.",
                RARELY_SECONDS,
            )
        if status == 402 or (status == 429 and "quota" in detail):
            return (
                f"{where} says that what you may use is used up ({status}{detail}). "
                "See to your account there, or name another server.",
                RARELY_SECONDS,
            )
        if status == 429:
            return f"{where} has had too many requests (429{detail}).", 2.0
        if status == 503:
            return f"{where} is busy, or still loads its model (503{detail}).", SOON_SECONDS
        if status >= 500:
            return f"{where} failed ({status}{detail}). Look into its log.", SOON_SECONDS
        if status < 400:
            return (
                f"{where} sends us elsewhere ({status}). Set mistralLsp.httpUrl to that.",
                RARELY_SECONDS,
            )
        return f"{where} does not take the request ({status}{detail}).", RARELY_SECONDS

    def _about_key(self, where: str, status: int) -> str:
        if self._key:
            return (
                f"{where} does not take the key that was found for it ({status}). Put the right "
                f"one into the environment variable {KEY_VARIABLE}, then restart the editor."
            )
        return (
            f"{where} wants a key ({status}). Set the environment variable {KEY_VARIABLE} where "
            f"the editor is started, or run: keyring set {SERVICE} {self.address} "
            "(pip install keyring). Then restart the editor."
        )


def _what(error: Exception) -> str:
    return str(error) or type(error).__name__


def _detail(data: bytes, body: Body) -> str:
    """What a server says of its failure, as an ending of a sentence; never with the user's code."""
    try:
        said = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    while isinstance(said, dict):
        said = said.get("error") or said.get("message") or said.get("detail")
    if not isinstance(said, str):
        return ""
    lines = [line.strip() for text in body.values() for line in str(text).split("\n")]
    if any(len(line) >= TELLING_LINE and line in said for line in lines):
        return ""
    return f": {' '.join(said.split())[:LONGEST_DETAIL].rstrip('.')}"
