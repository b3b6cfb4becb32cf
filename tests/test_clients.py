"""The settings that editors' clients declare match the server's schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from mistral_lsp import config, languages
from mistral_lsp.config import Settings

ROOT = Path(__file__).parents[1]
OF_THE_MACHINE = {
    "engine",
    "model",
    "httpUrl",
    "httpDialect",
    "httpModel",
    "keepLoadedSeconds",
    "rememberWindows",
    "threads",
    "gpuLayers",
    "path",
    "arguments",
    "package",
}
"""Settings that a workspace must not change."""
VSCODE_LANGUAGES = {
    *("bat", "c", "cpp", "csharp", "css", "dockercompose", "go", "html", "java", "javascript"),
    *("javascriptreact", "json", "jsonc", "jsonl", "kotlin", "lua", "markdown", "php", "python"),
    *("ruby", "rust", "shellscript", "sql", "toml", "typescript", "typescriptreact", "yaml"),
}
"""Some of the language ids that VS Code and its common extensions use."""


def contributed() -> dict[str, Any]:
    package = json.loads((ROOT / "editors/vscode/package.json").read_text("utf-8"))
    found = package["contributes"]["configuration"]["properties"]
    return {name.removeprefix("mistralLsp."): value for name, value in found.items()}


def test_vscode_offers_the_servers_settings() -> None:
    assert set(contributed()) == set(config.FIELDS) | (config.CLIENT_KEYS - {"trace"})


def test_vscode_has_the_servers_defaults_and_limits() -> None:
    defaults = msgspec.to_builtins(Settings())
    schema = config.schema()["properties"]
    for name, shown in contributed().items():
        if name in config.CLIENT_KEYS:
            continue
        assert shown["default"] == defaults[name], name
        for limit in ("minimum", "maximum"):
            assert shown.get(limit) == schema[name].get(limit), name
        known = config.ENGINES if name == "engine" else schema[name].get("enum", [])
        assert set(shown.get("enum", [])) == set(known) - {"scripted"}, name


def test_vscode_knows_what_the_server_calls_its_languages() -> None:
    source = (ROOT / "editors/vscode/src/settings.ts").read_text("utf-8")
    listed = source.partition("SERVER_NAMES")[2].partition("};")[0]
    said = dict(re.findall(r"(\w+): '(\w+)'", listed))
    assert said
    for language in languages.LANGUAGES:
        other_words = {name for name in language.ids if name != language.name} & VSCODE_LANGUAGES
        assert {name: said.pop(name, None) for name in other_words} == dict.fromkeys(
            other_words, language.name
        )
    assert not said


def test_a_workspace_can_not_set_what_runs() -> None:
    scopes = {name: value.get("scope") for name, value in contributed().items()}
    assert {name for name, scope in scopes.items() if scope == "machine"} == OF_THE_MACHINE


def test_the_readme_lists_every_setting() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    defaults = msgspec.to_builtins(Settings())
    for name, default in defaults.items():
        assert f"| `{name}` | `{json.dumps(default)}` |" in page, name
