"""The backend on ctransformers: needs no compiler, runs Llama and Falcon models, can't abort."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from ctransformers.llm import LLM, Config
from typing_extensions import override

from mistral_lsp.inference.backends.base import Backend
from mistral_lsp.inference.backends.cores import OtherCores
from mistral_lsp.system.processor import processor_features
from mistral_lsp.types import EngineError

ARCHITECTURES = ("llama", "falcon")


class CTransformers(Backend):
    """A model loaded by ctransformers 0.2.27.

    Calls the library's C functions, because its Python method `tokenize` overflows on non-ASCII
    text: the method allocates one place per character, but there may be a token for every byte.
    """

    name = "ctransformers"
    # The library's graph buffers hold 512 tokens. Chunks are far smaller, because a cancel is
    # noticed only between them.
    largest_chunk = 256
    can_abort = False
    can_save = False

    def __init__(self, path: Path, window: int, threads: int, gpu_layers: int):
        """Loads the model. Raises EngineError if ctransformers refuses it."""
        config = Config(
            context_length=window,
            batch_size=self.largest_chunk,
            threads=threads,
            gpu_layers=max(0, gpu_layers),
        )
        try:
            self._llm = LLM(str(path), "gguf", config=config, lib=_library())
        except (OSError, RuntimeError, ValueError) as error:
            raise EngineError(
                f"ctransformers can't load {path} ({str(error).strip()}). It reads models of the "
                f"architectures {' and '.join(ARCHITECTURES)} with an output matrix of their own; "
                "pip install 'mistral-lsp[fast]' brings an engine that reads more."
            ) from error
        self._threads = threads
        self._cores = OtherCores()
        self._size = self._llm.vocab_size
        self._mark = self._raw_tokens(b"\x01")[-1]

    @override
    def tokenize(self, text: bytes) -> list[int]:
        ids = self._raw_tokens(b"\x01" + text.replace(b"\0", b" "))
        return ids[ids.index(self._mark) + 1 :]

    def _raw_tokens(self, text: bytes) -> list[int]:
        # Room for one token a byte, for the space added in front, and some more.
        ids = (ctypes.c_int * (len(text) + 8))()
        count = self._llm.ctransformers_llm_tokenize(text, False, ids)
        return list(ids[:count])

    @override
    def token_bytes(self, token: int) -> bytes:
        piece: bytes = self._llm.ctransformers_llm_detokenize(token)
        return piece

    @override
    def vocabulary_size(self) -> int:
        return int(self._size)

    @override
    def eval(self, tokens: Sequence[int], past: int, every: bool = False) -> Any:
        """Evaluates tokens; the library gives the last one's logits only."""
        if every:
            raise NotImplementedError
        if not 0 <= min(tokens) <= max(tokens) < self._size:  # the library would read out of bounds
            raise EngineError("The model's vocabulary is damaged. Download or copy it again.")
        ids = (ctypes.c_int * len(tokens))(*tokens)
        self._cores.prefer()  # the library starts new threads in every eval
        done = self._llm.ctransformers_llm_batch_eval(
            ids, len(tokens), past, self.largest_chunk, self._threads
        )
        if not done:
            raise EngineError(f"ctransformers failed to evaluate {len(tokens)} tokens.")
        logits = self._llm.ctransformers_llm_logits_data()
        return numpy.ctypeslib.as_array(logits, shape=(self._size,))

    @override
    def rewind(self, past: int) -> int:
        """Changes nothing, because every eval states its own position."""
        return past

    @override
    def abort(self, wanted: bool) -> None:
        """Does nothing: ctransformers can't stop an eval."""

    @override
    def use_threads(self, count: int) -> None:
        self._threads = count

    @override
    def save(self) -> bytearray:
        """Raises NotImplementedError: ctransformers can't save its KV cache."""
        raise NotImplementedError

    @override
    def restore(self, state: bytearray) -> bool:
        """Raises NotImplementedError: ctransformers can't restore a KV cache."""
        raise NotImplementedError


def _library() -> str | None:
    """Gives the build of the library to load. None: the library finds out, which takes 0.5 s."""
    is_known = platform.system() == "Linux" and platform.machine() == "x86_64"
    return "avx2" if is_known and "avx2" in processor_features() else None
