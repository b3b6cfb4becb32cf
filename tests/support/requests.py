"""Makes pipeline requests, as the server does for a client."""

from __future__ import annotations

import msgspec

from mistral_lsp import languages
from mistral_lsp.completion.request import Request
from mistral_lsp.config import Settings
from mistral_lsp.document import Document, Snapshot


def snapshot(text: str) -> Snapshot:
    return Document("file:///a.py", "a.py", languages.find("python"), 1, text).snapshot()


def request(text: str, trigger="automatic", later: str | None = None, **settings) -> Request:
    """Makes a request at the end of `text`.

    The file's newest snapshot has the text `later`, by default `text`.
    """
    given = msgspec.structs.replace(Settings(), **settings)
    latest = snapshot(text if later is None else later)
    return Request(snapshot(text), len(text), trigger, given, lambda: latest)
