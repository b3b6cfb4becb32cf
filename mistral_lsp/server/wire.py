"""Reads and writes LSP messages over stdin and stdout, or over a TCP connection."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from asyncio.streams import FlowControlMixin
from typing import Any

from mistral_lsp.server.protocol import Protocol
from mistral_lsp.types import UserError

logger = logging.getLogger(__name__)

LARGEST_MESSAGE = 256 * 1024 * 1024
BUFFER = 1024 * 1024
MOST_HEADERS = 32
HEADER = re.compile(rb"[\w!#$%&'*+.^`|~-]+[ \t]*:[^\r\n]*\r?\n")
LENGTH = re.compile(rb"content-length\s*:\s*(\d+)\s*\r?\n", re.IGNORECASE)


async def standard_streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Gives stdin and stdout as asyncio streams. No threads are used: they could delay a cancel.

    Raises UserError if asyncio can't use stdin or stdout.
    """
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
    """Passes messages to `protocol` until the client exits, disconnects or sends invalid framing.

    A message that is not JSON is skipped.
    """
    while protocol.exit_code is None:
        try:
            body = await read_body(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        except (asyncio.LimitOverrunError, ValueError) as error:
            logger.error("The client broke the protocol: %s. The server stops.", error)
            return
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:  # ValueError: also for too long numbers
            logger.warning("skipped a message that is no JSON: %s", error)
            continue
        protocol.receive(message)
        # Lets a request's handler begin and take its snapshot, before the next message can change
        # the document.
        await asyncio.sleep(0)


async def read_body(reader: asyncio.StreamReader, largest: int = LARGEST_MESSAGE) -> bytes:
    """Reads the body of the next message.

    Raises ValueError if there is no valid length. Also raises it at the first line that is not a
    header, such as a browser's `POST / HTTP/1.1`.
    """
    length = None
    for _ in range(MOST_HEADERS):
        line = await reader.readuntil(b"\n")
        if not line.strip():
            break
        if not HEADER.fullmatch(line):
            raise ValueError("a line that is no header")
        found = LENGTH.fullmatch(line)
        if found:
            length = int(found.group(1))
    else:
        raise ValueError("more headers than a message has")
    if length is None or length > largest:
        raise ValueError(f"a message of length {length}")
    return await reader.readexactly(length)


def write_message(writer: asyncio.StreamWriter, message: Any) -> None:
    """Puts one message into the stream's buffer."""
    body = json.dumps(message).encode()
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
