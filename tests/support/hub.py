"""A played Hugging Face on this machine. Each of its files is a renamed embedded model."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.support.models import named

MODEL = "from the hub"
"""The name in the header of all files."""


@contextmanager
def hub(folder: Path, files: Collection[str]) -> Iterator[str]:
    """Serves the files with these names; gives the address for HF_ENDPOINT."""
    file = named(folder / "any.gguf", MODEL.encode())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.rpartition("/resolve/main/")[2] in files
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(file.stat().st_size if known else 0))
            self.end_headers()
            if known:
                with file.open("rb") as content:
                    shutil.copyfileobj(content, self.wfile)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
