"""A simulated HTTP server that records requests and gives prepared answers."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """A prepared answer. Each of `pieces` is sent as one HTTP chunk.

    With `cut`, the connection closes before the final chunk, as if the server died. With `held`,
    the answer ends when the client closes the connection.
    """

    pieces: tuple[str | bytes, ...] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    held: bool = False

    @classmethod
    def of(cls, value: Any, status: int = 200, **headers: str) -> Reply:
        return cls((json.dumps(value),), status, headers)


@dataclass
class Asked:
    """A received request."""

    path: str
    headers: dict[str, str]
    body: Any
    data: bytes = b""


Answer = Callable[[Asked], Reply]


class PlayedServer:
    """A simulated server. `asked` has the requests received; `answer` may be replaced any time."""

    def __init__(self, answer: Answer, port: int = 0):
        self.answer = answer
        self.asked: list[Asked] = []
        self.left = threading.Event()
        """Set when the client closes the connection of a held reply."""
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(None, b"")

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                data = self.rfile.read(length)
                self._reply(json.loads(data), data)

            def _reply(self, body: Any, data: bytes) -> None:
                asked = Asked(self.path, dict(self.headers), body, data)
                played.asked.append(asked)
                reply = played.answer(asked)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in reply.pieces:
                    data = piece.encode() if isinstance(piece, str) else piece
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                    self.wfile.flush()
                if reply.held:
                    with contextlib.suppress(ConnectionError):
                        self.connection.recv(1)
                    played.left.set()
                elif not reply.cut:
                    self.wfile.write(b"0\r\n\r\n")
                self.close_connection = reply.cut or reply.held

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def secure(self, context: ssl.SSLContext) -> None:
        """Makes the server use TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def of(self, path: str) -> list[Any]:
        """Gives the bodies of the requests to a path."""
        return [asked.body for asked in self.asked if asked.path == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def playing(answer: Answer, port: int = 0) -> Iterator[PlayedServer]:
    server = PlayedServer(answer, port)
    try:
        yield server
    finally:
        server.close()
