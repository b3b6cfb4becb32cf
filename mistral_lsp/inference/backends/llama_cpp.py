"""The backend on llama-cpp-python's low-level API: the fastest, and it can abort an eval."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib
import numpy
from typing_extensions import override

from mistral_lsp.inference.backends.base import Aborted, Branching
from mistral_lsp.text.shown import seen
from mistral_lsp.types import EngineError

LONGEST_PIECE = 256
ABORTED = 2
ERROR_LEVEL = 4
MARK = b"\x01"
"""A byte put before each text in SentencePiece vocabularies, so that no space is added there."""
LIBC = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, _: object) -> None:
    """Logs llama.cpp's errors only, since llama.cpp logs at length at every load."""
    if level == ERROR_LEVEL:
        sys.stderr.write(seen(text.decode("utf-8", "replace")))


class LlamaCpp(Branching):
    """A model loaded by llama.cpp, with one context."""

    name = "llama_cpp"
    largest_chunk = 512
    can_abort = True
    can_save = True
    can_give_every = True

    def __init__(self, path: Path, window: int, threads: int, gpu_layers: int):
        """Loads the model. Raises EngineError if llama.cpp refuses it."""
        lib.llama_log_set(_log, ctypes.c_void_p())
        lib.llama_backend_init()
        model_params = lib.llama_model_default_params()
        model_params.n_gpu_layers = gpu_layers if gpu_layers >= 0 else 0x7FFF
        self._model = lib.llama_model_load_from_file(str(path).encode(), model_params)
        if not self._model:
            raise EngineError(f"llama.cpp can't load {path}: it does not know this kind of model.")
        self.can_rewind = not (
            lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model)
        )
        self._window = window
        self._threads = threads
        self._abort = ctypes.create_string_buffer(2)
        self._batch = lib.llama_batch_init(self.largest_chunk, 0, 1)
        self.branch = 0
        self._make_context(window, 1)
        self._read_vocabulary(self._model)

    def _read_vocabulary(self, model: Any) -> None:
        self._vocabulary = lib.llama_model_get_vocab(model)
        self._size = lib.llama_vocab_n_tokens(self._vocabulary)
        self._adds_space = lib.llama_vocab_type(self._vocabulary) != lib.LLAMA_VOCAB_TYPE_BPE
        self._mark = self._raw_tokens(MARK)[-1]

    def _make_context(self, cells: int, branches: int) -> None:
        params = lib.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = params.n_ubatch = self.largest_chunk
        params.n_threads = params.n_threads_batch = self._threads
        params.n_seq_max = branches
        params.kv_unified = branches > 1
        params.flash_attn_type = _flash_attention()
        params.no_perf = True
        self._context = lib.llama_init_from_model(self._model, params)
        if not self._context:
            raise EngineError(
                f"llama.cpp can't make a window of {self._window} tokens: out of memory? "
                "Set mistralLsp.window to a smaller number."
            )
        self._memory = lib.llama_get_memory(self._context)
        self._install_abort()

    def _install_abort(self) -> None:
        # The callback is C's strlen, on a buffer that is "" or "\1". It needs no interpreter lock;
        # a Python callback would wait for that lock at every node of the graph.
        callback = ctypes.cast(LIBC.strlen, lib.ggml_abort_callback)
        address = ctypes.cast(self._abort, ctypes.c_void_p)
        lib.llama_set_abort_callback(self._context, callback, address)

    @override
    def tokenize(self, text: bytes) -> list[int]:
        if not self._adds_space:
            return self._raw_tokens(text)
        ids = self._raw_tokens(MARK + text)
        return ids[ids.index(self._mark) + 1 :]

    def _raw_tokens(self, text: bytes) -> list[int]:
        room = len(text) + 8
        ids = (lib.llama_token * room)()
        count = lib.llama_tokenize(self._vocabulary, text, len(text), ids, room, False, False)
        return list(ids[:count])

    @override
    def token_bytes(self, token: int) -> bytes:
        piece = ctypes.create_string_buffer(LONGEST_PIECE)
        count = lib.llama_token_to_piece(self._vocabulary, token, piece, LONGEST_PIECE, 0, False)
        return piece.raw[: max(0, count)]

    @override
    def vocabulary_size(self) -> int:
        return int(self._size)

    @override
    def eval(self, tokens: Sequence[int], past: int, every: bool = False) -> Any:
        status = lib.llama_decode(self._context, self._filled_batch(tokens, past, every))
        if status == ABORTED:
            raise Aborted
        if status != 0:
            raise EngineError(f"llama.cpp failed to evaluate {len(tokens)} tokens ({status}).")
        shape = (len(tokens), self._size) if every else (self._size,)
        return numpy.ctypeslib.as_array(lib.llama_get_logits(self._context), shape=shape)

    def _filled_batch(self, tokens: Sequence[int], past: int, every: bool) -> Any:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = past + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = self.branch
            batch.logits[place] = every or place == len(tokens) - 1
        return batch

    @override
    def rewind(self, past: int) -> int:
        if lib.llama_memory_seq_rm(self._memory, self.branch, past, -1):
            return past
        lib.llama_memory_seq_rm(self._memory, self.branch, 0, -1)
        return 0

    @override
    def make_branches(self, count: int, more: int) -> bool:
        # With sliding-window layers, llama.cpp keeps two caches, and aborts if one has no layer.
        slides = lib.llama_model_n_swa(self._model) > 0
        if slides or not self.can_rewind or not lib.llama_memory_can_shift(self._memory):
            return False
        lib.llama_free(self._context)
        try:
            self._make_context(self._window + more, count)
        except EngineError:  # there is no memory for more than the window
            self._make_context(self._window, 1)
            return False
        return True

    @override
    def copy(self, source: int, target: int, end: int) -> None:
        lib.llama_memory_seq_cp(self._memory, source, target, 0, end)

    @override
    def cut(self, branch: int, start: int, end: int) -> None:
        lib.llama_memory_seq_rm(self._memory, branch, start, end)

    @override
    def shift(self, branch: int, start: int, by: int) -> None:
        lib.llama_memory_seq_add(self._memory, branch, start, -1, by)

    @contextmanager
    @override
    def unstoppable(self) -> Iterator[None]:
        lib.llama_set_abort_callback(self._context, lib.ggml_abort_callback(), None)
        try:
            yield
        finally:
            self._install_abort()

    @override
    def abort(self, wanted: bool) -> None:
        self._abort[0] = b"\x01" if wanted else b"\x00"

    @override
    def use_threads(self, count: int) -> None:
        self._threads = count  # for a context that is made later
        lib.llama_set_n_threads(self._context, count, count)

    @override
    def save(self) -> bytearray:
        room = lib.llama_state_seq_get_size(self._context, self.branch)
        state = bytearray(room)
        size = lib.llama_state_seq_get_data(self._context, _view(state), room, self.branch)
        del state[size:]
        return state

    @override
    def restore(self, state: bytearray) -> bool:
        self.rewind(0)
        size = len(state)
        restored = lib.llama_state_seq_set_data(self._context, _view(state), size, self.branch)
        if not restored:
            self.rewind(0)
        return bool(restored)


def _view(state: bytearray) -> ctypes.Array[ctypes.c_uint8]:
    """Gives a C array that shares the memory of `state`."""
    return (ctypes.c_uint8 * len(state)).from_buffer(state)


def _flash_attention() -> int:
    """Gives the mode of flash attention: off on some CPUs, else automatic.

    It is off without a GPU if the CPU has AVX2 but no AVX-512. On such a CPU, flash attention makes
    decode steps after 1,000 tokens take a quarter longer, and chunks after 3,000 twice as long.
    """
    system = lib.llama_print_system_info().decode()
    narrow = "AVX2 = 1" in system and "AVX512 = 1" not in system
    if narrow and not lib.llama_supports_gpu_offload():
        return int(lib.LLAMA_FLASH_ATTN_TYPE_DISABLED)
    return int(lib.LLAMA_FLASH_ATTN_TYPE_AUTO)
