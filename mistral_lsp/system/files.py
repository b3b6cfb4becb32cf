"""Writes private files, and replaces files atomically."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Creates a file that only its owner can read. Raises OSError, also if the file exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file atomically: a reader sees either the old content or the new.

    Raises OSError; the old content is then kept.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
