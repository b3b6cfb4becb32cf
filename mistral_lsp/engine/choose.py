"""Makes the engine that the settings ask for: on this machine, or a server elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

from mistral_lsp.config import Settings
from mistral_lsp.engine.base import Service, State
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local.client import EngineClient
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.metrics import Metrics

AnyWanted = Union[Load, Wanted]


def wanted_by(settings: Settings) -> AnyWanted:
    """What the settings ask for."""
    return Wanted.of(settings) if settings.engine == "http" else Load.of(settings)


def new_engine(
    wanted: AnyWanted,
    on_state: Callable[[State, str], None] = lambda state, message: None,
    metrics: Metrics | None = None,
) -> Service:
    """An engine that was not started yet."""
    if isinstance(wanted, Wanted):
        # httpx takes long enough to be felt by those who need no network.
        from mistral_lsp.engine.remote.engine import RemoteEngine

        return RemoteEngine(wanted, on_state, metrics)
    return EngineClient(wanted, on_state, metrics)
