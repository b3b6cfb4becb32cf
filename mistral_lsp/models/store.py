"""Finds model files on this machine and checks the embedded one, once."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from importlib import resources
from pathlib import Path

import msgspec
import platformdirs

from mistral_lsp.models import registry
from mistral_lsp.models.gguf import BadModelFile

logger = logging.getLogger(__name__)


class Checked(msgspec.Struct, frozen=True):
    """A file whose checksum was found right, and how to tell that it has not changed since."""

    path: str
    size: int
    modified: int
    sha256: str


def locate(model: str) -> Path:
    """The file of a model: the embedded one for "", else the path itself.

    Raises BadModelFile where the embedded file does not have its published checksum.
    """
    if model:
        return Path(model).expanduser()
    entry = registry.entries()[registry.EMBEDDED]
    path = Path(str(resources.files("mistral_lsp.models").joinpath(entry.file)))
    if path.is_file():
        _verify(path, entry.sha256)
    return path


def _verify(path: Path, expected: str) -> None:
    facts = path.stat()
    wanted = Checked(str(path), facts.st_size, facts.st_mtime_ns, expected)
    mark = platformdirs.user_cache_path("mistral-lsp") / "checked.json"
    with suppress(OSError, msgspec.DecodeError):
        if msgspec.json.decode(mark.read_bytes(), type=Checked) == wanted:
            return
    found = _sha256(path)
    if found != expected:
        raise BadModelFile(
            f"The embedded model {path} is damaged (sha256 {found[:12]}…, not {expected[:12]}…). "
            "Install mistral-lsp again."
        )
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_bytes(msgspec.json.encode(wanted))
    except OSError as error:
        # Only a convenience: without it the next start checks again.
        logger.info("The checksum is not remembered: %s", error)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
