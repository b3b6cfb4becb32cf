"""Runs the server over stdin and stdout for one client, or over TCP for several."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import Mapping
from typing import Any

from mistral_lsp.server.app import App
from mistral_lsp.server.features import register
from mistral_lsp.server.wire import read_messages, standard_streams
from mistral_lsp.system import processes
from mistral_lsp.system.memory import no_garbage
from mistral_lsp.system.time_slices import take_short_turns
from mistral_lsp.types import UserError

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
SWITCH_SECONDS = 0.0005
"""How many seconds a parsing thread may keep the interpreter lock while the event loop waits for
it.
"""


async def serve_standard_streams(overrides: Mapping[str, Any]) -> int:
    """Serves the editor that started this process. Gives the exit code."""
    if sys.stdin.isatty():
        sys.stderr.write("mistral-lsp waits for an editor; try `mistral-lsp demo` (^C ends it).\n")
    reader, writer = await standard_streams()
    return await _serve(reader, writer, overrides)


async def serve_tcp(host: str, port: int, overrides: Mapping[str, Any]) -> int:
    """Serves every client that sends the token. Each has its own documents and engine.

    Raises UserError if the address or the token can't be used.
    """
    from mistral_lsp.server.admission import (
        Admission,
    )  # few need it, and it takes a while to import

    admission = Admission()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await admission.admit(reader, writer)
        if first is not None:
            await _serve(reader, writer, overrides, first)

    try:
        server = await asyncio.start_server(client, host, port, start_serving=False)
    except (OSError, OverflowError) as error:
        raise UserError(f"{host}:{port} can't be listened on: {error}.") from error
    with contextlib.closing(server):
        address = server.sockets[0].getsockname()
        with admission.token_at(address[1]) as where:
            await server.start_serving()
            sys.stderr.write(f"mistral-lsp listens on {address[0]}:{address[1]}; token: {where}\n")
            sys.stderr.flush()
            await _signalled()
    return 0


async def _signalled() -> None:
    """Waits for a signal to end. The caller can then release resources before the exit."""
    ended = asyncio.Event()
    processes.on_end(ended.set)
    await ended.wait()


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    overrides: Mapping[str, Any],
    first: dict[str, Any] | None = None,
) -> int:
    """Serves one client, and gives the exit code. `first` is its first message, if read already."""
    take_short_turns()
    sys.setswitchinterval(SWITCH_SECONDS)
    with no_garbage():
        app = App(overrides)
        register(app)
    app.protocol.set_writer(writer)
    # The objects that exist now are permanent; checking them at every collection would cost
    # milliseconds. They are frozen for the first client only: later, objects of earlier clients
    # must be collected.
    if not gc.get_freeze_count():
        gc.freeze()
    try:
        if first is not None:
            app.protocol.receive(first)
        await read_messages(reader, app.protocol)
    finally:
        await app.finish()
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(writer.drain(), FLUSH_SECONDS)
        writer.close()
    # A client that disconnects without exit has crashed or was killed.
    return 1 if app.protocol.exit_code is None else app.protocol.exit_code
