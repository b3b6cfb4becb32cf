"""The settings in docs/SERVERS.md, as tests use them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mistral_lsp import config
from mistral_lsp.config import Settings
from mistral_lsp.engine.remote.wanted import Wanted
from tests.support.played_server import PlayedServer

PAGE = Path(__file__).parents[2] / "docs" / "SERVERS.md"
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)


def blocks() -> dict[str, list[dict[str, Any]]]:
    """The blocks of settings of every section, by its heading."""
    page = PAGE.read_text("utf-8")
    return {
        heading: [json.loads(f"{{{block}}}") for block in _BLOCK.findall(text)]
        for heading, text in _SECTION.findall(page)
        if _BLOCK.search(text)
    }


def lines_of(server: str) -> dict[str, Any]:
    """The settings of a server's section, as an editor sends them."""
    [block] = blocks()[server]
    return {name.removeprefix("mistralLsp."): value for name, value in block.items()}


def lines_for(server: str, played: PlayedServer) -> dict[str, Any]:
    """The same for a server that is played on this machine."""
    lines = lines_of(server)
    here = urlsplit(lines["httpUrl"])._replace(scheme="http", netloc=urlsplit(played.url).netloc)
    return {**lines, "httpUrl": here.geturl()}


def settings_of(server: str) -> Settings:
    """What the settings of a server's section mean."""
    return _read(lines_of(server))


def wanted_from(server: str, played: PlayedServer) -> Wanted:
    """The server that the section's settings name, played on this machine."""
    return Wanted.of(_read(lines_for(server, played)))


def _read(lines: dict[str, Any]) -> Settings:
    settings, problems = config.read(lines, Settings())
    assert problems == []
    return settings
