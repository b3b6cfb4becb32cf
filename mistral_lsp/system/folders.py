"""The user's folders: settings, data, cache, and a private one for the hosts' sockets."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import warnings
from pathlib import Path

import platformdirs

from mistral_lsp.types import EngineError

NAME = "mistral-lsp"


def settings_folder() -> Path:
    """Gives the folder of the user's settings."""
    return platformdirs.user_config_path(NAME)


def data_folder() -> Path:
    """Gives the folder of downloaded files."""
    return platformdirs.user_data_path(NAME)


def cache_folder() -> Path:
    """Gives the folder of files that can be recreated."""
    return platformdirs.user_cache_path(NAME)


def private_folder() -> Path:
    """Gives the folder of the hosts' sockets, private to the user; creates it if missing.

    Raises EngineError if other users could enter the folder, OSError if it can't be created.
    """
    folder = _runtime_folder() or Path(tempfile.gettempdir()) / f"mistral-lsp-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()  # not through a link, which its owner could redirect
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != os.getuid():
        raise EngineError(
            f"{folder} is not a folder that you alone can enter, so the engine's socket is not put "
            f"there. Remove it, or run chmod 700 {folder}, or set XDG_RUNTIME_DIR to a folder of "
            "your own; then run mistralLsp.reload."
        )
    return folder


def _runtime_folder() -> Path | None:
    """Gives the system's runtime folder for this user, or None if there is none."""
    with warnings.catch_warnings(), contextlib.suppress(OSError):
        warnings.simplefilter("ignore")  # about unsuitable folders, which are checked here
        folder = platformdirs.user_runtime_path(NAME)
        if folder.parent.stat().st_uid == os.getuid():
            return folder
    return None
