"""Reads and writes the protocol's messages over stdin and stdout or a TCP connection."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from asyncio.streams import FlowControlMixin

from mistral_lsp.server.protocol import Protocol
from mistral_lsp.types import UserError

logger = logging.getLogger(__name__)

LARGEST_MESSAGE = 256 * 1024 * 1024
BUFFER = 1024 * 1024
LENGTH = re.compile(rb"content-length\s*:\s*(\d+)\s*\r?\n", re.IGNORECASE)


async def standard_streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Stdin and stdout without threads, so that nothing slow can keep a cancel from being read."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=BUFFER)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        transport, flow = await loop.connect_write_pipe(FlowControlMixin, sys.stdout)
    except ValueError as error:
        raise UserError(
            "mistral-lsp is started by an editor, which speaks to it through pipes; "
            "stdin or stdout is something else. Try `mistral-lsp demo` in a terminal."
        ) from error
    return reader, asyncio.StreamWriter(transport, flow, None, loop)


async def read_messages(reader: asyncio.StreamReader, protocol: Protocol) -> None:
    """Hands on every message, until the client exits, hangs up or breaks the framing."""
    while protocol.exit_code is None:
        try:
            body = await _read_body(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        except (asyncio.LimitOverrunError, ValueError) as error:
            logger.error("The client broke the protocol: %s. The server stops.", error)
            return
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:  # ValueError: also for numbers too long
            logger.warning("skipped a message that is no JSON: %s", error)
            continue
        protocol.receive(message)
        # Lets a request's handler begin, and so take its snapshot, before the next message can
        # change the document that the request was about.
        await asyncio.sleep(0)


async def _read_body(reader: asyncio.StreamReader) -> bytes:
    """The next message's body. Raises ValueError for headers that give no sensible length."""
    length = None
    while True:
        line = await reader.readuntil(b"\n")
        if not line.strip():
            break
        found = LENGTH.fullmatch(line)
        if found:
            length = int(found.group(1))
    if length is None or length > LARGEST_MESSAGE:
        raise ValueError(f"a message of length {length}")
    return await reader.readexactly(length)
