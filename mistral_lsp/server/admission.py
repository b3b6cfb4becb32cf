"""Admits TCP clients: the first message must contain the server's token.

Any user of the machine can connect to the server's port. The token is in an environment variable,
or in a file that only its owner can read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Iterator
from typing import Any

from lsprotocol import types

from mistral_lsp.server.extensions import is_id
from mistral_lsp.server.protocol import INVALID_REQUEST
from mistral_lsp.server.wire import read_body, write_message
from mistral_lsp.system.files import write_private
from mistral_lsp.system.folders import private_folder
from mistral_lsp.types import UserError

logger = logging.getLogger(__name__)

VARIABLE = "MISTRAL_LSP_TOKEN"
OPTION = "token"
"""The name of the token in initializationOptions. Every client can set these options, but few can
send a header.
"""
SHORTEST_TOKEN = 16
LARGEST_FIRST_MESSAGE = 1 << 20
FIRST_MESSAGE_SECONDS = 10.0
PARTING_SECONDS = 1.0
MOST_WAITING = 32
"""Maximum number of connections that have not sent the token yet. A further one displaces the
oldest. The owner's own client is hardly affected, since it sends the token at once.
"""


class Admission:
    """Admits clients that send the token, and disconnects all others."""

    def __init__(self) -> None:
        """Removes the token from the environment, so that child processes don't inherit it.

        Raises UserError if the token is short enough to be guessed.
        """
        self._token = os.environ.pop(VARIABLE, "")
        self._waiting: dict[asyncio.StreamWriter, None] = {}
        if self._token and len(self._token) < SHORTEST_TOKEN:
            raise UserError(
                f"{VARIABLE} has fewer than {SHORTEST_TOKEN} characters, so that it can be "
                "guessed. Set a longer one, or none: then the server makes its own."
            )

    @contextlib.contextmanager
    def token_at(self, port: int) -> Iterator[str]:
        """Gives the place of the token: the environment variable, or a new file's path.

        The file is deleted at the end. Raises UserError if the file can't be written, or if no
        folder is private to the user.
        """
        if self._token:
            yield VARIABLE
            return
        self._token = secrets.token_urlsafe(32)
        try:
            path = private_folder() / f"tcp-{port}.token"
            path.unlink(missing_ok=True)  # left by a killed server
            write_private(path, self._token.encode())
        except OSError as error:
            raise UserError(
                f"The token can't be written ({error}). Set one of your own in {VARIABLE}."
            ) from error
        try:
            yield str(path)
        finally:
            path.unlink(missing_ok=True)

    async def admit(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> dict[str, Any] | None:
        """Reads a client's first message, and gives it without the token.

        Gives None if the client is not admitted.
        """
        if len(self._waiting) >= MOST_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.transport.abort()
        self._waiting[writer] = None
        try:
            reading = read_body(reader, LARGEST_FIRST_MESSAGE)
            message = json.loads(await asyncio.wait_for(reading, FIRST_MESSAGE_SECONDS))
            if self._brings_token(message):
                return dict(message)
            logger.warning("refused a client that did not bring the token")
            await _refuse(message, reader, writer)
        except (asyncio.TimeoutError, asyncio.LimitOverrunError, EOFError, OSError) as error:
            logger.warning("a client went without a first message: %r", error)
        except (ValueError, RecursionError):
            logger.warning("refused a client whose first message is none")
        finally:
            self._waiting.pop(writer, None)
        writer.close()
        return None

    def _brings_token(self, message: Any) -> bool:
        """Whether a message is `initialize` with the right token. Removes the token from it."""
        match message:
            case {
                "method": types.INITIALIZE,
                "params": {"initializationOptions": dict() as options},
            }:
                given = options.pop(OPTION, None)
                return isinstance(given, str) and hmac.compare_digest(
                    given.encode("utf-8", "surrogatepass"), self._token.encode()
                )
        return False


async def _refuse(message: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with an error that asks for the token.

    For a short time, the client's further messages are read and dropped. Closing the connection at
    once could lose the answer.
    """
    number = message.get("id") if isinstance(message, dict) else None
    error = {
        "code": INVALID_REQUEST,
        "message": "This server wants initialize first, with its token in "
        f"initializationOptions.{OPTION}. mistral-lsp said on stderr where the token is.",
    }
    answer = {"jsonrpc": "2.0", "id": number if is_id(number) else None, "error": error}
    write_message(writer, answer)
    writer.write_eof()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_drop(reader), PARTING_SECONDS)


async def _drop(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass
