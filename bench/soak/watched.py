"""The real server with the additional command `soak.text`, which gives a document's digest.

Run as `python -m bench.soak.watched`, with the options of mistral-lsp.
"""

from __future__ import annotations

import sys
import zlib
from typing import Any

from mistral_lsp import cli
from mistral_lsp.server import features, serve
from mistral_lsp.server.app import App

COMMAND = "soak.text"


def digest(text: str) -> int:
    """Gives a checksum of a text, which may contain half surrogate pairs."""
    return zlib.crc32(text.encode("utf-16-le", "surrogatepass"))


def register(app: App) -> None:
    """Registers all handlers with `app`, and the additional command."""
    features.register(app)

    @app.command(COMMAND)
    def text(*arguments: Any) -> dict[str, Any] | None:
        document = app.session.document(str(arguments[0]))
        if document is None:
            return None
        return {"digest": digest(document.text), "in_sync": not document.snapshot().refusal}


if __name__ == "__main__":
    vars(serve)["register"] = register
    sys.exit(cli.main())
