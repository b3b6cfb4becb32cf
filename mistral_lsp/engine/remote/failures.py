"""Turns a server's failures into messages for the user, with the time until the next try."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from mistral_lsp.engine.remote.echo import repeats, texts_in
from mistral_lsp.engine.remote.key import KEY_VARIABLE, SERVICE
from mistral_lsp.text.shown import LONGEST_NAME, one_line
from mistral_lsp.types import EngineError

LONGEST_DETAIL = 200
LONGEST_OFFERED = 300
"""Characters of a model's name that a user can choose."""
SOON_SECONDS = 0.5
RARELY_SECONDS = 30.0
KEY_REFUSED = (401, 403)
UNAVAILABLE = 503
BUSY = (429, UNAVAILABLE)
REQUEST_AT_FAULT = (400, 413, 422)
"""Statuses that blame this request; others may succeed."""
NO_SUCH_PATH = (200, 400, 404, 405, 501)
"""Statuses of servers that lack a path; some answer 200 with an error body."""
GENERATION_FAILED = 424
"""What TGI and Bedrock answer if the model failed."""

Body = Mapping[str, Any]


class ServerError(EngineError):
    """The server can't be reached or refused a request; try again after `seconds`.

    `lost`: other requests would fail, too. `passing`: the same request may succeed if sent again
    at once. `status` is the HTTP status, or 0.
    """

    def __init__(
        self,
        message: str,
        seconds: float,
        lost: bool = True,
        passing: bool = False,
        status: int = 0,
    ):
        super().__init__(message)
        self.seconds = seconds
        self.lost = lost
        self.passing = passing
        self.status = status


class Failures:
    """Describes the failures of one server.

    The server's own message is shown on one short line, unless it repeats the key or the code.
    """

    def __init__(self, address: str, key: str):
        """`key` may be "" and be set later."""
        self.key = key
        self.token = ""
        """What is sent in place of a key, if it must be shown as little."""
        self.about_access = ""
        """Advice if the server refuses access, where that takes more than a key."""
        self._where = f"The server at {address}"
        self._address = address

    def name(self, said: str) -> str:
        """Makes a model name sent by the server safe to display."""
        return self._fit(said, {}, LONGEST_NAME) or "a model"

    def can_show(self, name: str) -> bool:
        """Whether a model name sent by the server is safe to display as it is."""
        return bool(name) and self._fit(name, {}, LONGEST_OFFERED) == name

    def strange(self, what: str, status: int = 200) -> ServerError:
        """The server's answer does not fit the dialect."""
        return ServerError(
            f"{self._where} answers otherwise than was expected ({what}). "
            "Check mistralLsp.httpUrl and mistralLsp.httpDialect.",
            RARELY_SECONDS,
            status=status,
        )

    def unreachable(self, error: Exception, body: Body) -> ServerError:
        """The server does not answer at all."""
        said = self._fit(str(error), body) or type(error).__name__
        return ServerError(
            f"{self._where} can't be reached ({said}). Start it, or check mistralLsp.httpUrl.",
            SOON_SECONDS,
            passing=not isinstance(error, (httpx.TimeoutException, asyncio.TimeoutError)),
        )

    def broke_off(self) -> ServerError:
        """The connection ended in the middle of an answer."""
        return ServerError(
            f"{self._where} broke off in the middle of an answer. "
            "Look into its log, if that happens again.",
            SOON_SECONDS,
        )

    def endless(self) -> ServerError:
        """An answer takes too long."""
        return ServerError(
            f"{self._where} takes too long to answer. Look into its log.", SOON_SECONDS
        )

    def broken(self, data: bytes, body: Body) -> ServerError:
        """The server reported an error in the middle of an answer."""
        return ServerError(
            f"{self._where} failed while it answered{self._detail(data, body)}. Look into its log.",
            SOON_SECONDS,
        )

    def refused(
        self, status: int, path: str, data: bytes, body: Body, retry_after: str
    ) -> ServerError:
        """The server answered with another status than 200."""
        wait = _seconds(retry_after) if status in BUSY else None
        sentence, seconds = self._meaning(status, path, self._detail(data, body), wait)
        if wait is not None:
            seconds = min(wait, RARELY_SECONDS)
        passing = status in BUSY and seconds < RARELY_SECONDS
        return ServerError(sentence, seconds, status not in REQUEST_AT_FAULT, passing, status)

    def _meaning(
        self, status: int, path: str, detail: str, wait: float | None
    ) -> tuple[str, float]:
        """Gives the message, and the seconds until the next try."""
        where = self._where
        if status in KEY_REFUSED:
            return self._about_key(status, detail), RARELY_SECONDS
        if status == 404:
            return (
                f"{where} does not know {path} or the model (404{detail}). Check "
                "mistralLsp.httpUrl, mistralLsp.httpDialect and mistralLsp.httpModel.",
                RARELY_SECONDS,
            )
        # A server that says when to come back means its rate, even if it speaks of a quota.
        if status == 402 or (status == 429 and "quota" in detail and wait is None):
            return (
                f"{where} says that what you may use is used up ({status}{detail}). "
                "See to your account there, or name another server.",
                RARELY_SECONDS,
            )
        if status == 429:
            return f"{where} has had too many requests (429{detail}).", 2.0
        if status == UNAVAILABLE:
            return f"{where} is busy, or still loads its model (503{detail}).", SOON_SECONDS
        if status >= 500 or status == GENERATION_FAILED:
            return f"{where} failed ({status}{detail}). Look into its log.", SOON_SECONDS
        if status < 400:
            return (
                f"{where} sends us elsewhere ({status}). Set mistralLsp.httpUrl to that.",
                RARELY_SECONDS,
            )
        return f"{where} does not take the request ({status}{detail}).", RARELY_SECONDS

    def _about_key(self, status: int, detail: str) -> str:
        if self.key:
            return (
                f"{self._where} does not take the key that was found for it ({status}). Put the "
                f"right one into the environment variable {KEY_VARIABLE}, then restart the editor."
            )
        if self.about_access:
            return f"{self._where} refuses access ({status}{detail}). {self.about_access}"
        return (
            f"{self._where} wants a key ({status}). Set the environment variable {KEY_VARIABLE} "
            f"where the editor is started, or run: keyring set {SERVICE} {self._address} "
            "(pip install keyring). Then restart the editor."
        )

    def _detail(self, data: bytes, body: Body) -> str:
        """Gives the server's own message as the end of a sentence, or ""."""
        try:
            said = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        while isinstance(said, dict):
            said = said.get("error") or said.get("message") or said.get("detail")
        fit = self._fit(said, body).rstrip(".") if isinstance(said, str) else ""
        return f": {fit}" if fit else ""

    def _fit(self, said: str, body: Body, most: int = LONGEST_DETAIL) -> str:
        """Makes a server's message safe to display; "" if it repeats the key or the code."""
        words = one_line(said, most)
        return "" if repeats(words, self.key or self.token, texts_in(body)) else words


def _seconds(retry_after: str) -> float | None:
    """Reads the header Retry-After, in seconds; None if it is missing or a date."""
    try:
        return max(0.0, float(retry_after)) if retry_after.isascii() else None
    except ValueError:
        return None
