"""Starts mistral-lsp servers for measurements, and reads texts to open in them."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

from bench.support.lsp_client import ALONE, Client, apart

ENGINES = ("llama_cpp", "ctransformers")
STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])


def server(
    *arguments: str, settings: Any = None, environment: dict[str, str] | None = None
) -> Client:
    """Starts a server and waits until its model is loaded."""
    command = [sys.executable, "-m", "mistral_lsp", *arguments]
    client = Client(command, {**apart(), **(environment or {})})
    client.initialize({**ALONE, **(settings or {})})
    client.wait_until_ready()
    return client


def python_text(name: str) -> str:
    """Reads a file of Python's standard library."""
    return (STANDARD_LIBRARY / name).read_text(encoding="utf-8")


EMBEDDED = Path(__file__).parents[2] / "mistral_lsp/models/mistral-lsp-tiny-fim-q5_0.gguf"
