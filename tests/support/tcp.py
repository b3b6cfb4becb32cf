"""Starts servers over TCP, and clients that can send them any bytes."""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401  connecting needs it, and another user may not read it
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS

LISTENS = re.compile(r"mistral-lsp listens on (\S+):(\d+); token: (.+)\n")
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class TcpServer:
    """A running server, with its address and the path of its token's file (`where`)."""

    def __init__(self, process: subprocess.Popen[str]):
        assert process.stderr is not None
        said = LISTENS.fullmatch(process.stderr.readline())
        assert said is not None, process.stderr.read()
        self.process = process
        self.host, self.port, self.where = said[1], int(said[2]), said[3]

    @property
    def token(self) -> str:
        return Path(self.where).read_text("ascii")

    @contextlib.contextmanager
    def connected(self) -> Iterator[TcpClient]:
        address = (self.host, self.port)
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
            yield TcpClient(connection)


class TcpClient:
    """A client's connection to a TcpServer."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self._incoming = connection.makefile("rb")

    def send_raw(self, data: bytes) -> None:
        """Sends bytes. If the server closes the connection, drops the rest without an error."""
        with contextlib.suppress(ConnectionError):
            self.connection.sendall(data)

    def send(self, method: str, params: Any = None, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if number is None else {**message, "id": number}).encode()
        self.send_raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def initialize(self, token: Any = None, root: str | None = None, **options: Any) -> None:
        """Sends `initialize` as request 1."""
        given = options if token is None else {**options, "token": token}
        params = {"capabilities": {}, "rootUri": root, "initializationOptions": given}
        self.send("initialize", params, 1)

    def receive(self) -> dict[str, Any] | None:
        """Gives the next message, or None if the connection was closed."""
        length = 0
        with contextlib.suppress(ConnectionResetError):
            while (line := self._incoming.readline()).strip():
                if found := LENGTH.match(line):
                    length = int(found[1])
            if line:
                return json.loads(self._incoming.read(length))
        return None

    def answer(self, number: int) -> dict[str, Any]:
        """Gives the response to a request; skips all other messages."""
        while (message := self.receive()) is not None:
            if message.get("id") == number and "method" not in message:
                return message
        raise AssertionError(f"request {number} was not answered")


@contextlib.contextmanager
def tcp_server(*arguments: str, **environment: str) -> Iterator[TcpServer]:
    command = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted", "--tcp"]
    with subprocess.Popen(
        [*command, *(arguments or ("0",))],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield TcpServer(process)
        finally:
            process.terminate()
