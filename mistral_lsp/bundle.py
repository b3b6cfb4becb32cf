"""Writes the one file that a user attaches to a bug: what doctor found, and logs; no code in it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from mistral_lsp import config
from mistral_lsp.engine.base import EngineError
from mistral_lsp.engine.folder import private_folder
from mistral_lsp.prompt.secrets import blot
from mistral_lsp.types import UserError

PRIVATE = re.compile(r"(^|[_-])(key|token|secret|password|authorization)$", re.IGNORECASE)
LAST_LINES = 200
BLOTTED = "[left out]"


def write(findings: Mapping[str, Any], path: Path) -> None:
    """Writes a new file, which only the user can read. Raises UserError where that can't be."""
    content = json.dumps(collect(findings), indent=1, ensure_ascii=False, default=str)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content + "\n")
    except OSError as error:
        raise UserError(
            f"{path} can't be written ({error.strerror}). Name another file: doctor --bundle FILE."
        ) from error


def collect(findings: Mapping[str, Any]) -> Any:
    """Everything, without the user's name in paths and without what looks like a secret."""
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
    """The packages that ours needs, installed or not, and their versions."""
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
    """The ends of the hosts' logs, which hold no code."""
    try:
        paths = sorted(private_folder().glob("*.log"))
    except (OSError, EngineError):
        return {}
    return {
        path.name: path.read_text("utf-8", "replace").splitlines()[-LAST_LINES:] for path in paths
    }


def _cleaned(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _cleaned(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner, key) for inner in value]
    if value and isinstance(value, str):
        if PRIVATE.search(key):
            return BLOTTED
        return blot(value.replace(str(Path.home()), "~"))
    return value
