"""The user's folders: settings, data, cache, and the private one in which hosts listen."""

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
    """Where the user's own settings lie."""
    return platformdirs.user_config_path(NAME)


def data_folder() -> Path:
    """Where lies what the user has downloaded."""
    return platformdirs.user_data_path(NAME)


def cache_folder() -> Path:
    """Where lies what can be found out or made again."""
    return platformdirs.user_cache_path(NAME)


def private_folder() -> Path:
    """The folder in which hosts listen and nobody else can look, made where it is missing.

    Raises EngineError where others could enter it, OSError where it can't be made.
    """
    folder = _runtime_folder() or Path(tempfile.gettempdir()) / f"mistral-lsp-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()  # of a link itself: whoever made it could make it lead elsewhere
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != os.getuid():
        raise EngineError(
            f"{folder} is not a folder that you alone can enter, so the engine's socket is not put "
            f"there. Remove it, or run chmod 700 {folder}, or set XDG_RUNTIME_DIR to a folder of "
            "your own; then run mistralLsp.reload."
        )
    return folder


def _runtime_folder() -> Path | None:
    """The place that the system has for sockets, where there is one for this user."""
    with warnings.catch_warnings(), contextlib.suppress(OSError):
        warnings.simplefilter("ignore")  # they tell of places that won't do; none is used unseen
        folder = platformdirs.user_runtime_path(NAME)
        if folder.parent.stat().st_uid == os.getuid():
            return folder
    return None
