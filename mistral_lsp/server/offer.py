"""The models that the user can choose from: those of the server in the settings, or known ones."""

from __future__ import annotations

import asyncio
from typing import Any

from mistral_lsp.config import Settings
from mistral_lsp.engine.choose import wanted_by
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import EngineError


async def offer(settings: Settings) -> dict[str, Any]:
    """Gives the models, the name of the setting for the chosen one, and a problem, or "" for none.

    Each model has a `name` and `used`, whether it is the one in use. A model of this machine has
    more: see models.overview.
    """
    wanted = wanted_by(settings)
    if isinstance(wanted, Wanted):
        return {"setting": "httpModel", **await _of_server(wanted)}
    from mistral_lsp.models import overview

    models = await asyncio.to_thread(overview.listed, settings.model)
    return {"setting": "model", "models": models, "problem": ""}


async def _of_server(wanted: Wanted) -> dict[str, Any]:
    # Importing httpx is slow, so only users of a model server pay for it.
    from mistral_lsp.engine.remote.listing import models_of

    try:
        found = await models_of(wanted)
    except EngineError as error:
        return {"models": [], "problem": str(error)}
    return {"models": [{"name": name, "used": used} for name, used in found.items()], "problem": ""}
