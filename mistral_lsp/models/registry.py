"""The registry of known models, and the fill-in form and window for a model file."""

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
"""Tokens of a window, if neither the registry nor the header's sliding window sets it."""
LARGEST_WINDOW = 131_072
"""Tokens. A header may ask for no more than a user can, since a window takes memory."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One known model.

    `source` is its repository on the Hugging Face hub, "" for the embedded one. `sha256` is given
    if it was published; else the first download's is kept. `form` and `window`, in tokens, are
    given if its header can't tell them.
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
    """Gives every known model by name. The embedded model's name is also in its metadata."""
    text = resources.files("mistral_lsp.models").joinpath("registry.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=dict[str, Entry])


def form(header: Header, file: str = "") -> str:
    """Gives the fill-in form: by the registry, else by the spellings of the marks.

    `file` is the file's name, used if the header names no model.
    """
    return form_of_model(header.name or file, header.spelt)


def window(header: Header) -> int:
    """Gives the window, in tokens: the registry's, else the sliding window or the default.

    The last two are limited to the model's context and LARGEST_WINDOW.
    """
    entry = _called(header.name)
    if entry and entry.window:
        return entry.window
    limit = header.sliding_window or DEFAULT_WINDOW
    return min(limit, header.context_length or limit, LARGEST_WINDOW)


def form_of_model(name: str, spelt: Mapping[str, str]) -> str:
    """Gives the form of a model, by its name or its file's name, and its marks' spellings."""
    entry = _called(name)
    return entry.form if entry and entry.form else form_of(spelt, name)


def window_of_model(name: str) -> int:
    """Gives the window, in tokens, of a model whose header can't be read."""
    entry = _called(name)
    return entry.window if entry and entry.window else DEFAULT_WINDOW


def _called(name: str) -> Entry | None:
    lower = name.lower()
    for known, entry in entries().items():
        if lower in (known, entry.file.lower()):
            return entry
    return None
