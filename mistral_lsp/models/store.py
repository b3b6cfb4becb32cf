"""Finds model files on this machine, and checks their sha256."""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from mistral_lsp import config
from mistral_lsp.models import registry
from mistral_lsp.models.gguf import BadModelFile
from mistral_lsp.system.files import write_whole
from mistral_lsp.system.folders import cache_folder
from mistral_lsp.text.shown import one_line

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = config.MODELS_VARIABLE
folder = config.models_folder


class BadSum(BadModelFile):
    """Raised if a file's sha256 is not the expected one."""


class Checked(msgspec.Struct, frozen=True):
    """A file whose sha256 was correct. `size` and `modified` show whether it has changed since."""

    path: str
    size: int
    modified: int
    sha256: str


def locate(model: str) -> Path:
    """Finds a model's file: by its known name, its file name in the models' folder, or its path.

    "" means the embedded model. Raises BadModelFile if no such model is on this machine, or if the
    embedded one is damaged.
    """
    name = model or registry.EMBEDDED
    entry = registry.find(name)
    if entry is None:
        return Path(model) if os.sep in model else _in_folder(model)
    if entry.name != registry.EMBEDDED:
        path = folder() / entry.file
        if not config.is_file(path):
            raise BadModelFile(
                f"The model {name} is not on this machine. Run: mistral-lsp models pull {name}"
            )
        return path
    from importlib import resources  # slow to import

    path = Path(str(resources.files("mistral_lsp.models").joinpath(entry.file)))
    if path.is_file():
        _verify_once(path, entry.sha256)
    return path


def _in_folder(name: str) -> Path:
    """Finds a file in the models' folder by its name. The name may lack its ending ".gguf"."""
    for ending in ("", config.MODEL_ENDING):
        path = folder() / f"{name}{ending}"
        if config.is_file(path):
            return path
    raise BadModelFile(
        f"No model is called {one_line(name)!r}, and no file in {folder()} is. For the known ones "
        "run: mistral-lsp models list. A file elsewhere is named by its path, like ./model.gguf."
    )


def resolved(model: str) -> str:
    """Gives the real path of a model's file, so that each file has only one name.

    For the embedded model, gives "". For a model that is not found, gives `model`.
    """
    if model in ("", registry.EMBEDDED):
        return ""
    try:
        return os.path.realpath(locate(model))
    except (BadModelFile, OSError, ValueError):
        return model


def known_name(model: str) -> str | None:
    """Gives the known model that a name or a file's path means, or None for any other file."""
    entry = registry.find(model or registry.EMBEDDED)
    if entry is not None:
        return entry.name
    path = resolved(model)
    names = (name for name in registry.entries() if name != registry.EMBEDDED)
    return next((name for name in names if os.path.realpath(file_of(name)) == path), None)


def file_of(name: str) -> Path:
    """Gives the path of a known model's download. Raises KeyError for an unknown model."""
    return folder() / _entry(name).file


def expected_sum(name: str) -> str:
    """Gives a model's published sha256, or else that of its first download, or else ""."""
    entry = _entry(name)
    return entry.sha256 or _pins().get(entry.name, "")


def pin(name: str, sha256: str) -> None:
    """Remembers the sha256 of a model's first download. Later downloads must match it."""
    entry = _entry(name)
    if not entry.sha256:
        path = folder() / "sums.json"
        write_whole(path, msgspec.json.encode({**_pins(), entry.name: sha256}))


def _entry(name: str) -> registry.Entry:
    entry = registry.find(name)
    if entry is None:
        raise KeyError(name)
    return entry


def _pins() -> dict[str, str]:
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder() / "sums.json").read_bytes(), type=dict[str, str])
    return {}


def check(path: Path, expected: str) -> str:
    """Gives a file's sha256. Raises BadSum if it differs from `expected`, unless that is ""."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    found = digest.hexdigest()
    if expected and found != expected:
        raise BadSum(f"{path} is damaged (sha256 {found[:12]}…, not {expected[:12]}…).")
    return found


def _verify_once(path: Path, expected: str) -> None:
    facts = path.stat()
    wanted = Checked(str(path), facts.st_size, facts.st_mtime_ns, expected)
    mark = cache_folder() / "checked.json"
    with suppress(OSError, msgspec.DecodeError):
        if msgspec.json.decode(mark.read_bytes(), type=Checked) == wanted:
            return
    try:
        check(path, expected)
    except BadSum as error:
        raise BadSum(f"{error} It is the embedded model. Install mistral-lsp again.") from error
    try:
        mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(mark, msgspec.json.encode(wanted))
    except OSError as error:
        # Only a convenience: without it the next start checks again.
        logger.info("The checksum is not remembered: %s", error)
