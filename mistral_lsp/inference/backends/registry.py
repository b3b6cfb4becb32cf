"""The registry of backends: one row for each of ours, and for each added by another package.

A package adds a backend by an entry point of the group `mistral_lsp.backends` that names a `Row`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from mistral_lsp.inference.backends.base import Backend
from mistral_lsp.types import EngineError

GROUP = "mistral_lsp.backends"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the registry: one backend.

    `imports` is the module that must be importable. `opener`, as `module:name`, is a callable that
    loads a model. Its arguments are the model's path, the window in tokens, the number of threads,
    and the number of layers on a GPU.
    """

    name: str
    imports: str
    opener: str
    install: str
    """The command that installs the backend's library."""
    platforms: tuple[str, ...] = ("linux", "darwin", "win32")
    """The supported values of `sys.platform`."""
    accelerators: tuple[str, ...] = ()
    """The supported kinds of GPU."""
    reads_old_files_only: bool = False
    """Whether the backend can't load the kinds of model added to llama.cpp since 2023."""

    def is_installed(self) -> bool:
        """Whether the library can be imported here."""
        return sys.platform in self.platforms and bool(importlib.util.find_spec(self.imports))

    def open(self, path: Path, window: int, threads: int, gpu_layers: int) -> Backend:
        """Loads a model. Raises EngineError if the library is missing or refuses the model."""
        module, _, name = self.opener.partition(":")
        try:
            opener = getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise EngineError(
                f"The engine {self.name} is not installed ({error}). Run {self.install}, "
                "or set mistralLsp.engine to auto."
            ) from error
        backend: Backend = opener(path, window, threads, gpu_layers)
        return backend


FASTEST_FIRST = (
    Row(
        "llama_cpp",
        "llama_cpp",
        "mistral_lsp.inference.backends.llama_cpp:LlamaCpp",
        "pip install 'mistral-lsp[fast]'",
        accelerators=("cuda", "metal", "vulkan", "rocm"),
    ),
    Row(
        "ctransformers",
        "ctransformers",
        "mistral_lsp.inference.backends.ctransformers:CTransformers",
        "pip install ctransformers",
        accelerators=("cuda",),
        reads_old_files_only=True,
    ),
)


@cache
def rows() -> dict[str, Row]:
    """Gives all backends by name: first those of other packages, then ours, the fastest first."""
    return {row.name: row for row in (*_brought(), *FASTEST_FIRST)}


def _brought() -> Iterator[Row]:
    for entry in metadata.entry_points(group=GROUP):
        row = entry.load()
        if isinstance(row, Row):
            yield row


def installed() -> list[str]:
    """Gives the names of the installed backends, in the order of `rows`."""
    return [row.name for row in rows().values() if row.is_installed()]
