"""Creates the engine that the settings name: a host on this machine, or model servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

from mistral_lsp.config import Settings
from mistral_lsp.engine.base import Service
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local.client import EngineClient
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.engine.standing import State
from mistral_lsp.metrics import Metrics

AnyWanted = Union[Load, Wanted]


def wanted_by(settings: Settings) -> AnyWanted:
    """Gives the engine's part of the settings."""
    return Wanted.of(settings) if settings.asks_server else Load.of(settings)


def new_engine(
    wanted: AnyWanted,
    on_state: Callable[[State, str], None] = lambda state, message: None,
    metrics: Metrics | None = None,
) -> Service:
    """Creates the engine without starting it."""
    if isinstance(wanted, Wanted):
        # Importing httpx is slow, so only users of a model server pay for it.
        from mistral_lsp.engine.remote.engine import RemoteEngine

        return RemoteEngine(wanted, on_state, metrics)
    return EngineClient(wanted, on_state, metrics)
