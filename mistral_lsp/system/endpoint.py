"""The Unix socket of a host, in a folder private to the user."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from mistral_lsp.system.folders import private_folder
from mistral_lsp.types import EngineError

BACKLOG = 64
LONGEST_PATH = 103
"""The longest path of a socket in bytes: the smallest limit of the supported systems."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def place(name: str) -> Path:
    """Gives the path of the socket called `name`. Raises EngineError if it is too long, OSError."""
    path = private_folder() / f"{name}.socket"
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise EngineError(
            f"The engine's socket can't have a name as long as {path}. "
            "Set XDG_RUNTIME_DIR to a folder with a shorter one."
        )
    return path


def listen(path: Path) -> socket.socket:
    """Opens a listening socket at `path`; replaces an existing socket."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(BACKLOG)
    return listening


async def serve(listening: socket.socket, client: Serve) -> None:
    """Calls `client` for every connection to a listening socket."""
    await asyncio.start_unix_server(client, sock=listening)


async def connect(path: Path) -> Streams:
    """Connects to the socket at `path`. Raises OSError."""
    return await asyncio.open_unix_connection(path)
