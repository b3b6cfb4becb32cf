"""The settings of one client, in layers: each lies over the ones before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mistral_lsp import config
from mistral_lsp.config import Settings


class Layers:
    """The user's file, what the client sent at the start, what it sends later, the command line."""

    def __init__(self, overrides: Mapping[str, Any]):
        """`overrides` are settings from the command line, which nothing else can change."""
        self._users_own, self._problems = config.load_user_settings()
        self._overrides = overrides
        self.at_start: Any = None

    def read(self, later: Any = None) -> tuple[Settings, list[str]]:
        """The settings as they are with what the client sent `later`, and what is wrong in them."""
        settings, problems = self._users_own, list(self._problems)
        for layer in (self.at_start, later):
            if isinstance(layer, dict):
                given = {key: value for key, value in layer.items() if value is not None}
                settings, found = config.read(given, settings)
                problems += found
            elif layer is not None:
                problems.append(f"The settings of {config.SECTION} are no object and are ignored.")
        return config.read(self._overrides, settings)[0], problems
