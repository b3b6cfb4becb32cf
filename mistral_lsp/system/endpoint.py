"""Where a host listens: a Unix socket in the folder that its user alone can enter."""

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
"""Bytes; the least that the supported systems allow."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def place(name: str) -> Path:
    """The path of the socket that has a name. Raises EngineError, OSError."""
    path = private_folder() / f"{name}.socket"
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise EngineError(
            f"The engine's socket can't have a name as long as {path}. "
            "Set XDG_RUNTIME_DIR to a folder with a shorter one."
        )
    return path


def listen(path: Path) -> socket.socket:
    """Listens at a path, in place of whatever listened there."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(BACKLOG)
    return listening


async def serve(listening: socket.socket, client: Serve) -> None:
    """Has every connection served."""
    await asyncio.start_unix_server(client, sock=listening)


async def connect(path: Path) -> Streams:
    """A connection to what listens at a path. Raises OSError."""
    return await asyncio.open_unix_connection(path)
