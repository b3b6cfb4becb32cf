"""Merges the settings of one client from several sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mistral_lsp import config
from mistral_lsp.config import Settings


class Layers:
    """The sources of one client's settings. Each overrides the ones before it.

    In order: the user's file, the client's options at the start, the client's later settings, and
    the command line.
    """

    def __init__(self, overrides: Mapping[str, Any]):
        """Takes the settings from the command line, which override those from all other sources."""
        self._users_own, self._problems = config.load_user_settings()
        self._overrides = overrides
        self.at_start: Any = None

    def read(self, later: Any = None) -> tuple[Settings, list[str]]:
        """Gives the merged settings, and a sentence about each problem.

        `later` are the settings that the client has sent after the start.
        """
        settings, problems = self._users_own, list(self._problems)
        for layer in (self.at_start, later):
            if isinstance(layer, dict):
                given = {key: value for key, value in layer.items() if value is not None}
                settings, found = config.read(given, settings)
                problems += found
            elif layer is not None:
                problems.append(f"The settings of {config.SECTION} are no object and are ignored.")
        return config.read(self._overrides, settings)[0], problems
