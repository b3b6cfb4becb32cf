"""The registry of known models. Also finds the fill-in form and the window of any model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from mistral_lsp.models.gguf import Header
from mistral_lsp.models.marks import form_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EMBEDDED = "mistral-lsp-tiny-fim"
DEFAULT_WINDOW = 4096
"""Tokens of a window, if neither the registry nor the header gives a size."""
LARGEST_WINDOW = 131_072
"""Maximum number of tokens of a window that a header may ask for. The setting has the same maximum,
since a window takes memory.
"""


DEFAULT_QUANTISATION = "Q5_K_M"
"""A model's name without a quantisation means this one. If this one was not published, the first in
the list is meant.
"""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published file of a model. `sha256` is "" if none was published."""

    file: str
    gigabytes: float
    sha256: str = ""


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model in registry.toml.

    `files` maps each quantisation to its file. See Entry for the rest.
    """

    licence: str
    parameters: float
    files: dict[str, File]
    source: str = ""
    form: str = ""
    window: int = 0
    recommended: bool = False


class Entry(msgspec.Struct, frozen=True):
    """One known model in one quantisation.

    `name` ends in ":" and the quantisation, unless that is the model's default one. `source` is the
    model's repository on Hugging Face, or "" for the embedded model. If no `sha256` was published,
    that of the first download is remembered. `form` and `window`, in tokens, are given only if the
    file's header does not tell them.
    """

    name: str
    file: str
    licence: str
    parameters: float
    """Number of parameters, in billions."""
    gigabytes: float
    quantisation: str = ""
    source: str = ""
    sha256: str = ""
    form: str = ""
    window: int = 0
    recommended: bool = False


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Gives all known models by name."""
    from importlib import resources  # slow to import

    text = resources.files("mistral_lsp.models").joinpath("registry.toml").read_text("utf-8")
    listed = msgspec.convert(tomllib.loads(text), type=dict[str, Listed])
    found = (entry for name, model in listed.items() for entry in _quantised(name, model))
    return {entry.name: entry for entry in found}


def _quantised(name: str, model: Listed) -> Iterator[Entry]:
    """Yields an entry for each quantisation of a model, the default one first."""
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
    """Gives the entry for NAME or NAME:QUANTISATION, or None.

    The quantisation may be in lower case.
    """
    model, _, quantisation = name.partition(":")
    default = entries().get(model)
    if default is None or quantisation.upper() in ("", default.quantisation):
        return default
    return entries().get(f"{model}:{quantisation.upper()}")


def form(header: Header, file: str = "") -> str:
    """Gives a model's form: from the registry, or else by its marks and its chat template.

    `file` is the file's name. It is used if the header contains no model name.
    """
    return form_of_model(header.name or file, header.spelt, header.template)


def window(header: Header) -> int:
    """Gives the size of the window in tokens.

    The registry's size comes first, then the header's sliding window, then DEFAULT_WINDOW. A size
    that is not from the registry is limited to the model's context and LARGEST_WINDOW.
    """
    entry = _called(header.name)
    if entry and entry.window:
        return entry.window
    limit = header.sliding_window or DEFAULT_WINDOW
    return min(limit, header.context_length or limit, LARGEST_WINDOW)


def form_of_model(name: str, spelt: Mapping[str, str], template: str = "") -> str:
    """Gives a model's form, by its name or its file's name, its marks' spellings and its template.

    The registry is asked first.
    """
    entry = _called(name)
    return entry.form if entry and entry.form else form_of(spelt, name, template)


def window_of_model(name: str) -> int:
    """Gives the window in tokens for a model whose header can't be read."""
    entry = _called(name)
    return entry.window if entry and entry.window else DEFAULT_WINDOW


def _called(name: str) -> Entry | None:
    lower = name.lower()
    for known, entry in entries().items():
        if lower in (known, entry.file.lower()):
            return entry
    return None
