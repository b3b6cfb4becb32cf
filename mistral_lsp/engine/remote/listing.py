"""Lists the models of the servers in the settings, so that the user can choose one."""

from __future__ import annotations

import asyncio
import time

from mistral_lsp.engine.limited import limited
from mistral_lsp.engine.remote.dialects.find import find
from mistral_lsp.engine.remote.failures import RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import EngineError

MOST_MODELS = 2_000
NO_LIST = (400, 404, 405, 501)
"""Statuses of servers that have no list."""

Models = dict[str, bool]
"""The models' names, each with whether it is the one in use."""


async def models_of(wanted: Wanted, pace: Pace = Pace()) -> Models:
    """Gives the models of the first server that lists any. Raises EngineError, with advice."""
    answers = await asyncio.gather(*(_models_or_error(url, wanted, pace) for url in wanted.urls))
    for answer in answers:
        if not isinstance(answer, EngineError):
            return answer
    raise EngineError(" ".join(map(str, answers)))


async def _models_or_error(url: str, wanted: Wanted, pace: Pace) -> Models | EngineError:
    """Asks one server, by a connection of its own: the engine may be waiting for the server."""
    try:
        server = HttpClient(url, pace)
    except EngineError as error:
        return error
    try:
        async with limited(pace.listing):
            return await _models_at(server, wanted)
    except EngineError as error:
        return error
    except asyncio.TimeoutError:
        return server.failures.endless()
    finally:
        await server.close()


async def _models_at(server: HttpClient, wanted: Wanted) -> Models:
    dialect = await find(server, wanted, time.perf_counter)
    try:
        listed = await dialect.models()
    except ServerError as error:
        if error.status not in NO_LIST:
            raise
        raise ServerError(
            f"The server at {server.address} lists no models ({error.status}). Set "
            "mistralLsp.httpModel to the name of one, or check mistralLsp.httpDialect.",
            RARELY_SECONDS,
        ) from error
    names = [name for name in dict.fromkeys(listed) if server.failures.can_show(name)][:MOST_MODELS]
    if not names:
        raise ServerError(
            f"The server at {server.address} has no model to choose. Add one there first.",
            RARELY_SECONDS,
        )
    is_only = len(names) == 1 and not wanted.model
    return {name: is_only or dialect.means(name) for name in names}
