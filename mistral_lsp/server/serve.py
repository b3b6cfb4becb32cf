"""Runs the server over stdin and stdout, or for one client after another over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import Mapping
from typing import Any

from mistral_lsp.engine.turns import take_short_turns
from mistral_lsp.server.app import App
from mistral_lsp.server.features import register
from mistral_lsp.server.wire import BUFFER, read_messages, standard_streams

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
SWITCH_SECONDS = 0.0005
"""How long a thread that parses may hold the interpreter while the event loop waits for it."""


async def serve_standard_streams(overrides: Mapping[str, Any]) -> int:
    """Serves the editor that started this process; gives the exit code."""
    if sys.stdin.isatty():
        sys.stderr.write("mistral-lsp waits for an editor; try `mistral-lsp demo` (^C ends it).\n")
    reader, writer = await standard_streams()
    return await _serve(reader, writer, overrides)


async def serve_tcp(host: str, port: int, overrides: Mapping[str, Any]) -> int:
    """Serves every client that connects, each with documents and an engine of its own."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve(reader, writer, overrides)

    server = await asyncio.start_server(client, host, port, limit=BUFFER)
    address = server.sockets[0].getsockname()
    sys.stderr.write(f"mistral-lsp listens on {address[0]}:{address[1]}\n")
    sys.stderr.flush()
    async with server:
        await server.serve_forever()
    return 0


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, overrides: Mapping[str, Any]
) -> int:
    take_short_turns()
    sys.setswitchinterval(SWITCH_SECONDS)
    app = App(overrides)
    register(app)
    app.protocol.set_writer(writer)
    # What is there by now stays; looking through it again and again would cost milliseconds.
    gc.freeze()
    try:
        await read_messages(reader, app.protocol)
    finally:
        await app.finish()
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(writer.drain(), FLUSH_SECONDS)
        writer.close()
    # A client that hangs up without exit has crashed or was closed by force.
    return 1 if app.protocol.exit_code is None else app.protocol.exit_code
