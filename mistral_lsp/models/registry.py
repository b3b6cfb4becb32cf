"""Which models are known, and the fill-in form and window that a model file calls for."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import resources

import msgspec

from mistral_lsp.models.gguf import Header
from mistral_lsp.models.marks import form_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EMBEDDED = "mistral-lsp-tiny-fim"
DEFAULT_WINDOW = 4096


class Entry(msgspec.Struct, frozen=True):
    """One known model: `window` is the most tokens that it should see at once."""

    file: str
    sha256: str
    form: str
    window: int


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Every known model, by the name in its metadata."""
    text = resources.files("mistral_lsp.models").joinpath("registry.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=dict[str, Entry])


def form(header: Header) -> str:
    """The fill-in form: the registry's, else what the spelling of the marks calls for."""
    if header.name in entries():
        return entries()[header.name].form
    return form_of(header.spelt, header.name)


def window(header: Header) -> int:
    """The most tokens the model should see: registry, else sliding window, else its context."""
    if header.name in entries():
        return entries()[header.name].window
    limit = header.sliding_window or DEFAULT_WINDOW
    return min(limit, header.context_length or limit)
