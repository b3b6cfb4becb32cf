"""The command `doctor --bundle`: writes a report for a bug, with logs and without code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from mistral_lsp import config
from mistral_lsp.prompt.secrets import blot, calls_for_secret
from mistral_lsp.system.files import write_private
from mistral_lsp.system.folders import private_folder
from mistral_lsp.types import EngineError, UserError

PRIVATE = re.compile(r"(^|[_-])(key|token|secret|password|authorization)$", re.IGNORECASE)
LAST_LINES = 200
BLOTTED = "[left out]"
SOMEBODY = "[user]"
_PART = r"[^\s\\/\"'`<>|:;,*?()\[\]{}]+"
HOMES = re.compile(
    r"(?i)((?:[\\/]|%2F|%5C)"
    r"(?:homes?|users|documents and settings|media|var/mail|var/spool/cron)"
    rf"(?:[\\/]+|%2F|%5C))(?!~)(?:{_PART}(?: {_PART}){{1,3}}(?=[\\/])|{_PART}?(?=%2F|%5C)|{_PART})"
)
"""Matches a folder that contains home folders, on any system, and the user name after it."""


def write(findings: Mapping[str, Any], path: Path) -> None:
    """Writes the report to a file that only the user can read. Raises UserError on failure."""
    content = json.dumps(collect(findings), indent=1, ensure_ascii=False, default=str)
    try:
        write_private(path, f"{content}\n".encode("utf-8", "replace"))
    except OSError as error:
        raise UserError(
            f"{path} can't be written ({error.strerror}). Name another file: doctor --bundle FILE."
        ) from error


def collect(findings: Mapping[str, Any]) -> Any:
    """Collects the report. Removes secrets, and the user names in paths."""
    settings, problems = config.load_user_settings()
    content = {
        "findings": dict(findings),
        "settings": {name: getattr(settings, name) for name in settings.__struct_fields__},
        "problems_of_the_settings_file": problems,
        "packages": dict(sorted(_packages())),
        "logs_of_hosts": _logs(),
    }
    return _cleaned(json.loads(json.dumps(content, default=str)))


def _packages() -> list[tuple[str, str]]:
    """Gives the required packages with their versions. A missing one has "not installed"."""
    try:
        needed = metadata.requires("mistral-lsp") or []
    except metadata.PackageNotFoundError:
        return []
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in needed}
    return [(name, _version(name)) for name in names]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _logs() -> dict[str, list[str]]:
    """Gives the last lines of each host's log. These logs contain no code."""
    try:
        paths = sorted(private_folder().glob("*.log"))
    except (OSError, EngineError):
        return {}
    return {path.name: _last_lines(path) for path in paths}


def _last_lines(path: Path) -> list[str]:
    # Secrets are removed before splitting, since one may span several lines.
    return _without_secrets(path.read_text("utf-8", "replace")).splitlines()[-LAST_LINES:]


def _cleaned(value: Any, key: str = "") -> Any:
    if not isinstance(value, (dict, list, str)):
        return value
    if value and (PRIVATE.search(key) or calls_for_secret(key)):
        return BLOTTED
    if isinstance(value, dict):
        return {_without_names(name): _cleaned(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner, key) for inner in value]
    return _without_names(_without_secrets(value))


def _without_secrets(text: str) -> str:
    """Removes secrets from a text, whether they are written as in settings or as in prose."""
    return blot(blot(text, "config"), "prose")


def _without_names(text: str) -> str:
    """Removes user names from paths. The current user's home becomes "~"."""
    home = str(Path.home())
    if len(Path(home).parts) > 1:
        for spelt in {home, home.replace("\\", "/"), home.replace("\\", "\\\\")}:
            text = re.sub(rf"{re.escape(spelt)}(?![\w.-])", "~", text)
    return HOMES.sub(lambda found: f"{found[1]}{SOMEBODY}", text)
