"""Finds out a server's dialect, unless the user has set it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from mistral_lsp.engine.remote.dialects.base import Dialect
from mistral_lsp.engine.remote.dialects.llama_server import LlamaServer, Properties
from mistral_lsp.engine.remote.dialects.mistral import Mistral
from mistral_lsp.engine.remote.dialects.ollama import Ollama, Version
from mistral_lsp.engine.remote.dialects.openai import Models, OpenAI
from mistral_lsp.engine.remote.failures import RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.wanted import Wanted

Clock = Callable[[], float]
"""Gives the time in seconds."""
DIALECTS: dict[str, Callable[[HttpClient, Wanted, Clock], Dialect]] = {
    "llama-server": LlamaServer,
    "openai": OpenAI,
    "ollama": Ollama,
    "mistral": Mistral,
}
_SIGNS: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("llama-server", "/props", Properties),
    ("ollama", "/api/version", Version),
    ("openai", "/v1/models", Models),
)
"""Dialect, path to ask, and the type of its servers' answer there; the surest sign first."""
UNKNOWN = (200, 400, 404, 405, 501)
"""Statuses that show another dialect; some servers answer 200 with an error body."""


async def find(server: HttpClient, wanted: Wanted, clock: Clock) -> Dialect:
    """Creates the adapter for the server. Raises ServerError, with advice."""
    name = wanted.dialect if wanted.dialect != "auto" else await _ask(server)
    return DIALECTS[name](server, wanted, clock)


async def _ask(server: HttpClient) -> str:
    host = urlsplit(server.address).hostname or ""
    if host == "mistral.ai" or host.endswith(".mistral.ai"):
        return "mistral"
    for name, path, kind in _SIGNS:
        if await _answers(server, path, kind):
            return name
    raise ServerError(
        f"The server at {server.address} answers, but in no way that is known here. Is that its "
        "address? If so, set mistralLsp.httpDialect to what it understands.",
        RARELY_SECONDS,
    )


async def _answers(server: HttpClient, path: str, kind: type[msgspec.Struct]) -> bool:
    try:
        await server.get(path, kind)
    except ServerError as error:
        if error.status in UNKNOWN:
            return False
        raise
    return True
