"""The registry of known models. Also gives the form and the window of any model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
SPARE_GIGABYTES = 1.0
"""Gigabytes of memory that a model needs in addition to its file: for the KV cache of a window of
DEFAULT_WINDOW tokens, and for computing. Models without grouped-query attention need more.
"""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published file of a model.

    `sha256` is "" if none was published. `source` is its repository, if that is not the model's.
    """

    file: str
    gigabytes: float
    sha256: str = ""
    source: str = ""


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model in registry.toml.

    `files` maps each quantisation to its file. See Entry for the rest.
    """

    licence: str
    parameters: float
    form: str
    files: dict[str, File]
    window: int = 0
    source: str = ""
    spare: float = SPARE_GIGABYTES
    recommended: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One known model in one quantisation.

    `name` ends in ":" and the quantisation, unless that is the model's default one. `source` is the
    file's repository on Hugging Face, or "" for the embedded model. If no `sha256` was published,
    that of the first download is remembered.
    """

    name: str
    model: str
    """The name without a quantisation."""
    file: str
    licence: str
    parameters: float
    """Number of parameters, in billions."""
    gigabytes: float
    form: str
    """The form in which the model is asked. A file's own marks decide; see `form`."""
    window: int = 0
    """Number of tokens that the model was trained on; 0 if only the file's header tells."""
    quantisation: str = ""
    source: str = ""
    sha256: str = ""
    spare: float = SPARE_GIGABYTES
    """Gigabytes of memory that the model needs in addition to its file."""
    recommended: bool = False

    def fits(self, gigabytes: float) -> bool:
        """Whether a memory of this size can hold the model."""
        return self.gigabytes + self.spare <= gigabytes


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Gives all known models by name."""
    from importlib import resources  # slow to import

    text = resources.files("mistral_lsp.models").joinpath("registry.toml").read_text("utf-8")
    listed = msgspec.convert(tomllib.loads(text), type=dict[str, Listed])
    found = (entry for name, model in listed.items() for entry in quantised(name, model))
    return {entry.name: entry for entry in found}


def quantised(name: str, model: Listed) -> Iterator[Entry]:
    """Yields an entry for each quantisation of a model, the default one first."""
    names = list(model.files)
    default = DEFAULT_QUANTISATION if DEFAULT_QUANTISATION in names else names[0]
    for quantisation in sorted(names, key=lambda one: one != default):
        file = model.files[quantisation]
        yield Entry(
            name=name if quantisation == default else f"{name}:{quantisation}",
            model=name,
            file=file.file,
            licence=model.licence,
            parameters=model.parameters,
            gigabytes=file.gigabytes,
            form=model.form,
            window=model.window,
            quantisation=quantisation,
            source=file.source or model.source,
            sha256=file.sha256,
            spare=model.spare,
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
    """Gives a model's form, by its marks, its name and its chat template.

    `file` is the file's name. It is used if the header contains no model name.
    """
    return form_of(header.spelt, header.name or file, header.template)


def window(header: Header) -> int:
    """Gives the size of the window in tokens.

    It is the header's sliding window, or else DEFAULT_WINDOW. It is limited to the model's context
    and to LARGEST_WINDOW.
    """
    limit = header.sliding_window or DEFAULT_WINDOW
    return min(limit, header.context_length or limit, LARGEST_WINDOW)


def window_of_model(name: str) -> int:
    """Gives the window in tokens for a model whose header can't be read."""
    entry = find(name.lower())
    return min(entry.window or DEFAULT_WINDOW, DEFAULT_WINDOW) if entry else DEFAULT_WINDOW
