"""Signs requests to Amazon Web Services, with botocore and the credentials that it finds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.types import EngineError

SERVICE = "bedrock"
_REGION = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
HOW_TO_GET_ACCESS = (
    "Check your AWS credentials with: aws sts get-caller-identity, and that your account may use "
    "mistralLsp.httpModel in this region."
)


class Signature:
    """Signs requests to one server."""

    def __init__(self, server: HttpClient):
        """Sends nothing. Raises EngineError without botocore."""
        try:
            from botocore.session import Session
        except ImportError as error:
            raise EngineError(
                "Amazon Bedrock needs a signature or a key. Run: pip install "
                "'mistral-lsp[bedrock]', or put an API key for Bedrock into the environment "
                "variable MISTRAL_LSP_API_KEY. Then restart the editor."
            ) from error
        self._failures = server.failures
        self._failures.about_access = HOW_TO_GET_ACCESS
        self._session: Any = Session()
        found = _REGION.search(urlsplit(server.address).hostname or "")
        self._region = found[1] if found else ""

    async def headers(self, method: str, url: str, content: bytes) -> Mapping[str, str]:
        """Gives the headers that sign a request. Raises EngineError without credentials."""
        # botocore may ask other servers for fresh credentials.
        return await asyncio.to_thread(self._signed, method, url, content)

    def _signed(self, method: str, url: str, content: bytes) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        try:
            found = self._session.get_credentials()
            credentials = found and found.get_frozen_credentials()
            region = self._region or self._session.get_config_variable("region")
        except BotoCoreError as error:
            raise EngineError(f"AWS credentials can't be used ({error}).") from error
        if not credentials or not region:
            missing = "credentials" if region else "region"
            raise EngineError(
                f"No AWS {missing} were found. Run: aws configure, or put an API key for Bedrock "
                "into the environment variable MISTRAL_LSP_API_KEY. Then restart the editor."
            )
        self._failures.token = credentials.token or credentials.access_key
        request = AWSRequest(method, url, data=content)
        SigV4Auth(credentials, SERVICE, region).add_auth(request)
        return dict(request.headers.items())
