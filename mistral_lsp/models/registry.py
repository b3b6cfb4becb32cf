"""Which models are known, and the fill-in form and window that a model file calls for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
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
LARGEST_WINDOW = 131_072
"""What a file asks for is memory; no more than a user can ask for."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One known model.

    `source` is its repository on the Hugging Face hub, "" for the embedded one. `sha256` is given
    where it was published; else the first download's is kept. `form` and `window`, the most tokens
    that it should see at once, are given where its header can't tell.
    """

    file: str
    licence: str
    parameters: float
    """Billions."""
    gigabytes: float
    source: str = ""
    sha256: str = ""
    form: str = ""
    window: int = 0
    recommended: bool = False


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Every known model by name; the embedded one's is that in its metadata."""
    text = resources.files("mistral_lsp.models").joinpath("registry.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=dict[str, Entry])


def form(header: Header) -> str:
    """The fill-in form: the registry's, else what the spelling of the marks calls for."""
    return form_of_model(header.name, header.spelt)


def window(header: Header) -> int:
    """The most tokens the model should see: registry, else sliding window, else its context."""
    entry = _called(header.name)
    if entry and entry.window:
        return entry.window
    limit = header.sliding_window or DEFAULT_WINDOW
    return min(limit, header.context_length or limit, LARGEST_WINDOW)


def form_of_model(name: str, spelt: Mapping[str, str]) -> str:
    """The form of a model by the name of it or of its file, and by how it spells its marks."""
    entry = _called(name)
    return entry.form if entry and entry.form else form_of(spelt, name)


def window_of_model(name: str) -> int:
    """The most tokens that a model without a header here should see."""
    entry = _called(name)
    return entry.window if entry and entry.window else DEFAULT_WINDOW


def _called(name: str) -> Entry | None:
    lower = name.lower()
    for known, entry in entries().items():
        if lower in (known, entry.file.lower()):
            return entry
    return None
