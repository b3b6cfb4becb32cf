"""Reads untrusted files safely: only regular files, and only up to a size.

Symbolic links are followed only on request.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class Stamp(NamedTuple):
    """A file's time and size, by which a change is noticed.

    It has no inode number, since some systems change this although the file is the same.
    """

    changed_ns: int = 0
    size: int = 0
    is_file: bool = False


MISSING = Stamp()
"""The stamp of a path at which there is no regular file."""


def stamp(path: str | Path, follow: bool = False) -> Stamp:
    """Gives the stamp of a file. Follows a symbolic link only if `follow` is set."""
    try:
        found = Path(path).stat(follow_symlinks=follow)
    except (OSError, ValueError):
        return MISSING
    return _stamp(found)


def is_folder(path: Path) -> bool:
    """Whether a path is a folder. A symbolic link to a folder does not count."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def read(path: str | Path, most: int, follow: bool = False) -> tuple[bytes, Stamp] | None:
    """Reads up to `most` + 1 bytes of a file, and its stamp.

    A result of `most` + 1 bytes shows that the file is too long. Gives None if the file is missing,
    unreadable or not regular.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | NO_WAITING | (0 if follow else NO_LINK))
    except (OSError, ValueError):
        return None
    try:
        found = _stamp(os.fstat(descriptor))
        if found == MISSING:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most + 1), found
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _stamp(found: os.stat_result) -> Stamp:
    if not stat.S_ISREG(found.st_mode):
        return MISSING
    return Stamp(found.st_mtime_ns, found.st_size, True)
