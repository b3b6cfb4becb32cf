"""Writes files that are private, and files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Writes a new file that its owner alone can read. Raises OSError, also where one is there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file at once: whoever reads it finds the old content or the new. Raises OSError,
    after which the old content is there.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
