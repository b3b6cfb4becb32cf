"""Signs requests to Amazon Web Services, with botocore and the credentials that it finds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mistral_lsp.engine.limited import limited
from mistral_lsp.engine.remote.aside import aside
from mistral_lsp.engine.remote.failures import RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient

SERVICE = "bedrock"
SEARCH = "AWS credentials"
"""The name of the thread that searches."""
KEY_WANTED = 401
"""As if the server had refused access. So the keyring is asked for a key."""
_REGION = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
HOW_TO_GET_ACCESS = (
    "Check your AWS credentials with: aws sts get-caller-identity, and that your account may use "
    "mistralLsp.httpModel in this region."
)


@dataclass(frozen=True, slots=True)
class _Signer:
    """The credentials, and what signs with them."""

    token: str
    sign: Callable[[str, str, bytes], Mapping[str, str]]


class Signature:
    """Signs requests to one server.

    botocore may start programs and ask other servers for credentials, so its search may hang. There
    is one search at a time, and all requests wait for it.
    """

    def __init__(self, server: HttpClient):
        """Sends nothing yet."""
        self._failures = server.failures
        self._failures.about_access = HOW_TO_GET_ACCESS
        self._seconds = server.pace.credentials
        found = _REGION.search(urlsplit(server.address).hostname or "")
        self._region = found[1] if found else ""
        self._session: Any = None
        self._search: asyncio.Future[_Signer] | None = None

    async def headers(self, method: str, url: str, content: bytes) -> Mapping[str, str]:
        """Gives the headers that sign a request. Raises ServerError without credentials."""
        if self._search is None or self._search.done():
            self._search = aside(self._found, SEARCH)
        try:
            async with limited(self._seconds):
                signer = await asyncio.shield(self._search)
        except asyncio.TimeoutError as error:
            raise _unusable(f"none came within {self._seconds:.0f} s") from error
        self._failures.token = signer.token
        return signer.sign(method, url, content)

    def _found(self) -> _Signer:
        """Finds the credentials, or refreshes them. Raises ServerError."""
        from mistral_lsp.engine.remote.aws_session import NeedsCodeError, new_session

        try:
            self._session = self._session or new_session()
            found = self._session.get_credentials()
            credentials = found and found.get_frozen_credentials()
            region = self._region or self._session.get_config_variable("region")
        except NeedsCodeError as error:
            raise _refusal(
                "The AWS profile wants a code (mfa_serial), which can't be asked for here. Set "
                "AWS_PROFILE to a profile without mfa_serial, or put an API key for Bedrock into "
                "the environment variable MISTRAL_LSP_API_KEY. Then restart the editor."
            ) from error
        except Exception as error:  # noqa: BLE001 - the user's files and programs may do anything
            raise _unusable(_kind(error)) from error
        if not credentials or not region:
            missing = "credentials" if region else "region"
            raise _refusal(
                f"No AWS {missing} were found. Run: aws configure, or put an API key for Bedrock "
                "into the environment variable MISTRAL_LSP_API_KEY. Then restart the editor."
            )
        return _signer(credentials, region)


def _signer(credentials: Any, region: str) -> _Signer:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    def sign(method: str, url: str, content: bytes) -> Mapping[str, str]:
        request = AWSRequest(method, url, data=content)
        SigV4Auth(credentials, SERVICE, region).add_auth(request)
        return dict(request.headers.items())

    return _Signer(credentials.token or credentials.access_key, sign)


def _kind(error: Exception) -> str:
    """Names the failure. Its text may quote a program's output or an answer, with secrets."""
    answer = getattr(error, "response", None)
    problem = answer.get("Error") if isinstance(answer, dict) else None
    code = str(problem.get("Code", "")) if isinstance(problem, dict) else ""
    return f"{type(error).__name__} {code}" if code.isalnum() else type(error).__name__


def _unusable(why: str) -> ServerError:
    return _refusal(f"AWS credentials can't be used: {why}. {HOW_TO_GET_ACCESS}")


def _refusal(message: str) -> ServerError:
    return ServerError(message, RARELY_SECONDS, status=KEY_WANTED)
