"""The registry of known models, and the fill-in form and window for a model file."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
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


DEFAULT_QUANTISATION = "Q5_K_M"
"""The quantisation of a name without one, if it was published; else the first that is listed."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published file of a model. `sha256` is "" if none was published."""

    file: str
    gigabytes: float
    sha256: str = ""


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model in registry.toml, with its files by quantisation; see Entry."""

    licence: str
    parameters: float
    files: dict[str, File]
    source: str = ""
    form: str = ""
    window: int = 0
    recommended: bool = False


class Entry(msgspec.Struct, frozen=True):
    """One known model in one quantisation.

    `name` ends in ":" and the quantisation if it is not the default one. `source` is the model's
    repository on the Hugging Face hub, "" for the embedded one. Without a published `sha256`, the
    first download's is kept. `form` and `window`, in tokens, are given if its header can't tell
    them.
    """

    name: str
    file: str
    licence: str
    parameters: float
    """Billions."""
    gigabytes: float
    quantisation: str = ""
    source: str = ""
    sha256: str = ""
    form: str = ""
    window: int = 0
    recommended: bool = False


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Gives every known model by name; the embedded one's is also in its metadata."""
    text = resources.files("mistral_lsp.models").joinpath("registry.toml").read_text("utf-8")
    listed = msgspec.convert(tomllib.loads(text), type=dict[str, Listed])
    found = (entry for name, model in listed.items() for entry in _quantised(name, model))
    return {entry.name: entry for entry in found}


def _quantised(name: str, model: Listed) -> Iterator[Entry]:
    """Yields a model's entries, the one of its default quantisation first."""
    names = list(model.files)
    default = DEFAULT_QUANTISATION if DEFAULT_QUANTISATION in names else names[0]
    for quantisation in sorted(names, key=lambda one: one != default):
        file = model.files[quantisation]
        yield Entry(
            name=name if quantisation == default else f"{name}:{quantisation}",
            file=file.file,
            licence=model.licence,
            parameters=model.parameters,
            gigabytes=file.gigabytes,
            quantisation=quantisation,
            source=model.source,
            sha256=file.sha256,
            form=model.form,
            window=model.window,
            recommended=model.recommended,
        )


def find(name: str) -> Entry | None:
    """Gives the entry for NAME or NAME:QUANTISATION, which may be in small letters."""
    model, _, quantisation = name.partition(":")
    default = entries().get(model)
    if default is None or quantisation.upper() in ("", default.quantisation):
        return default
    return entries().get(f"{model}:{quantisation.upper()}")


def form(header: Header, file: str = "") -> str:
    """Gives the form: by the registry, else by the spellings of the marks and the chat template.

    `file` is the file's name, used if the header names no model.
    """
    return form_of_model(header.name or file, header.spelt, header.template)


def window(header: Header) -> int:
    """Gives the window, in tokens: the registry's, else the sliding window or the default.

    The last two are limited to the model's context and LARGEST_WINDOW.
    """
    entry = _called(header.name)
    if entry and entry.window:
        return entry.window
    limit = header.sliding_window or DEFAULT_WINDOW
    return min(limit, header.context_length or limit, LARGEST_WINDOW)


def form_of_model(name: str, spelt: Mapping[str, str], template: str = "") -> str:
    """Gives the form of a model, by its name or its file's name, its marks and its template."""
    entry = _called(name)
    return entry.form if entry and entry.form else form_of(spelt, name, template)


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
