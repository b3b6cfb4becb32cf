"""The settings in docs/SERVERS.md, as the contract tests use them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

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


def settings_of(server: str) -> Settings:
    """What the settings of a server's section mean. There must be no problem with them."""
    [block] = blocks()[server]
    raw = {name.removeprefix("mistralLsp."): value for name, value in block.items()}
    settings, problems = config.read(raw, Settings())
    assert problems == []
    return settings


def wanted_from(server: str, played: PlayedServer) -> Wanted:
    """The server that the section's settings name, played on this machine."""
    wanted = Wanted.of(settings_of(server))
    [url] = wanted.urls
    here = urlsplit(url)._replace(scheme="http", netloc=urlsplit(played.url).netloc)
    return msgspec.structs.replace(wanted, urls=(here.geturl(),))
