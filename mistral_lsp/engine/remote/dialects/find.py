"""Finds out a server's dialect, unless the user has set it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from mistral_lsp.engine.remote.dialects.base import Dialect
from mistral_lsp.engine.remote.dialects.bedrock import Bedrock
from mistral_lsp.engine.remote.dialects.llama_server import LlamaServer, Properties
from mistral_lsp.engine.remote.dialects.mistral import Mistral
from mistral_lsp.engine.remote.dialects.ollama import Ollama, Tags
from mistral_lsp.engine.remote.dialects.openai import LISTING, OpenAI
from mistral_lsp.engine.remote.dialects.tgi import Info, Tgi
from mistral_lsp.engine.remote.failures import NO_SUCH_PATH, RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.wanted import Wanted

Clock = Callable[[], float]
"""Gives the time in seconds."""
DIALECTS: dict[str, Callable[[HttpClient, Wanted, Clock], Dialect]] = {
    "llama-server": LlamaServer,
    "openai": OpenAI,
    "ollama": Ollama,
    "mistral": Mistral,
    "tgi": Tgi,
    "bedrock": Bedrock,
}
_HOSTS = {r"(?:.*\.)?mistral\.ai": "mistral", r"(?:.*\.)?bedrock-runtime[.-].*": "bedrock"}
"""Dialects by the host's name, as a pattern."""
_SIGNS: tuple[tuple[str, str, Any], ...] = (
    ("llama-server", "/props", Properties),
    ("ollama", "/api/tags", Tags),
    ("tgi", "/info", Info),
    ("openai", "/v1/models", LISTING),
)
"""Dialect, path to ask, and the type of its servers' answer there; the surest sign first."""


async def find(server: HttpClient, wanted: Wanted, clock: Clock) -> Dialect:
    """Creates the adapter for the server. Raises ServerError, with advice."""
    name = wanted.dialect if wanted.dialect != "auto" else await _ask(server)
    return DIALECTS[name](server, wanted, clock)


async def _ask(server: HttpClient) -> str:
    host = urlsplit(server.address).hostname or ""
    for pattern, name in _HOSTS.items():
        if re.fullmatch(pattern, host):
            return name
    if server.version:
        return "openai"
    for name, path, kind in _SIGNS:
        if await _answers(server, path, kind):
            return name
    raise ServerError(
        f"The server at {server.address} answers, but in no way that is known here. Is that its "
        "address? If so, set mistralLsp.httpDialect to what it understands.",
        RARELY_SECONDS,
    )


async def _answers(server: HttpClient, path: str, kind: Any) -> bool:
    try:
        await server.get(path, kind)
    except ServerError as error:
        if error.status in NO_SUCH_PATH:
            return False
        raise
    return True
