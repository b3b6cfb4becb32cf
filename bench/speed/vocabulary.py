"""Counts a text's tokens in the model's vocabulary, without loading its weights."""

from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp.llama_cpp as lib

from bench.support.servers import EMBEDDED

FIRST = b"\x01"
"""A byte that is one token. It is put before every text, so that llama.cpp adds no space there."""


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_quiet(level: int, text: bytes, _: object) -> None:
    """Drops the messages that llama.cpp logs."""


class Vocabulary:
    """The vocabulary of a GGUF file."""

    def __init__(self, model: str):
        """Reads the vocabulary of the model file `model`; "" is the embedded model."""
        path = Path(model) if model else EMBEDDED
        parameters = lib.llama_model_default_params()
        parameters.vocab_only = True
        lib.llama_log_set(_keep_quiet, ctypes.c_void_p())
        lib.llama_backend_init()
        self._model = lib.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            raise RuntimeError(f"{path} can't be read")
        self._vocabulary = lib.llama_model_get_vocab(self._model)

    def count(self, text: str) -> int:
        """Counts the tokens of a text."""
        return self._count(FIRST + text.encode()) - self._count(FIRST)

    def _count(self, text: bytes) -> int:
        room = len(text) + 8
        tokens = (lib.llama_token * room)()
        found = lib.llama_tokenize(self._vocabulary, text, len(text), tokens, room, False, False)
        return int(found)
