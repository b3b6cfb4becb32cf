"""Downloads from a malicious server end with a message, and nothing grows without limit."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from mistral_lsp.models import download
from mistral_lsp.types import UserError

LARGEST = 1_000_000


def packs(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    handler.wfile.write(gzip.compress(b"x" * 1000))


def goes_round(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", f"{handler.path}x")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def never_ends(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65_536)


def claims_much(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(LARGEST + 1))
    handler.end_headers()
    handler.wfile.write(b"x")


def paints(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(404, "\x1b[2J\x1b[31mAll is well " + "x" * 5000)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def goes_on_without_end(handler: BaseHTTPRequestHandler) -> None:
    """Sends one more part at each try, so that the download keeps progressing but never ends."""
    handler.send_response(206 if handler.headers["Range"] else 200)
    handler.send_header("Content-Length", str(LARGEST // 2))
    handler.end_headers()
    handler.wfile.write(b"x" * (LARGEST // 4))
    handler.close_connection = True


@pytest.fixture
def url(monkeypatch, request) -> Iterator[str]:
    does: Callable[[BaseHTTPRequestHandler], None] = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            does(self)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Ignores errors, since the client disconnects early."""

    monkeypatch.setattr(download, "BACK_OFF_SECONDS", 0.001)
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/model.gguf"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (packs, "packs it"),
        (goes_round, "from one place to the next"),
        (never_ends, r"more than 0\.00 GB"),
        (claims_much, r"more than 0\.00 GB"),
        (goes_on_without_end, r"more than 0\.00 GB"),
        (paints, r"answers 404 \[2J\[31mAll is well x+…"),
    ],
    indirect=["url"],
)
def test_harm_is_bounded_and_said(url, tmp_path: Path, says) -> None:
    target = tmp_path / "model.gguf"
    with pytest.raises(UserError, match=says) as raised:
        download.pull(url, target, "", largest=LARGEST)
    assert len(str(raised.value)) < 500 and "\x1b" not in str(raised.value)
    assert not target.exists()
    part = target.with_name("model.gguf.part")
    assert not part.exists() or part.stat().st_size <= LARGEST


def test_a_file_that_everybody_on_the_way_could_change_is_refused() -> None:
    answer = httpx.Response(200, request=httpx.Request("GET", "http://mirror.example/a.gguf"))
    with pytest.raises(UserError, match="without https"):
        download._refuse_failure("https://hub.example/a.gguf", answer)
