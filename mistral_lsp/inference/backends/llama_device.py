"""Measures the device on which llama.cpp computes: a GPU if it can use one, or else the processor.

`measure` starts this module as a process, because a native library may abort. The process writes a
`Device` as JSON.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from mistral_lsp.system.folders import private_folder

Pointer = ctypes.c_void_p

CPU, GPU, INTEGRATED_GPU = 0, 1, 2
FLOAT, Q4_0 = 0, 2
ROWS, COLUMNS = 14_336, 4_096
"""The size of the matrices that are multiplied: that of a model with 7 billion parameters."""
WRITTEN = (16, 1)
"""Number of matrices, and of tokens, for the speed of writing. No cache holds so many matrices."""
READ = (4, 64)
"""The same for the speed of reading, for which caches matter little."""
LEAST_RUNS, LEAST_SECONDS = 3, 0.3
LONGEST_SECONDS = 60.0


class Device(msgspec.Struct, frozen=True):
    """A device, and the speeds at which it multiplies a model's matrices.

    The speeds are in gigabytes of matrices per second. While a prompt is read, a matrix counts once
    for each token.
    """

    name: str
    is_gpu: bool
    free_gigabytes: float
    """Free memory of all GPUs; 0 for the processor."""
    read_gigabytes: float
    written_gigabytes: float


def measure(threads: int, gpu_layers: int) -> Device | None:
    """Measures the device. Gives None if this llama.cpp can't be measured, or if memory is short.

    With 0 as `gpu_layers`, that is always the processor, which computes with `threads`.
    """
    command = [sys.executable, "-m", __name__, str(threads), str(gpu_layers)]
    try:
        done = subprocess.run(
            command,
            cwd=private_folder(),  # Python looks for modules in the working directory
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=LONGEST_SECONDS,
        )
        return msgspec.json.decode(done.stdout, type=Device)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
        return None


class _Memory(ctypes.Structure):
    """ggml's `ggml_init_params`."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("buffer", ctypes.c_void_p),
        ("no_alloc", ctypes.c_bool),
    )


class _Ggml:
    """The functions of ggml, the library below llama.cpp."""

    def __init__(self) -> None:
        import llama_cpp.llama_cpp
        from llama_cpp._ggml import libggml

        llama_cpp.llama_cpp.llama_backend_init()
        self._library = libggml

    def __call__(self, name: str, *arguments: Any, result: Any = ctypes.c_void_p) -> Any:
        """Calls a function, by default one that returns a pointer or a size."""
        function = self._library[f"ggml_{name}"]
        function.restype = result
        return function(*arguments)


def main(threads: int, gpu_layers: int) -> None:
    """Measures the device in this process."""
    ggml = _Ggml()
    gpus = _gpus(ggml) if gpu_layers else []
    device = (gpus or _devices(ggml, CPU))[0]
    backend = Pointer(ggml("backend_dev_init", device, None))
    if not gpus:
        set_threads = _own(ggml, device, b"ggml_backend_set_n_threads")
        ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)(set_threads)(backend, threads)
    found = Device(
        name=ctypes.string_at(ggml("backend_dev_description", device)).decode("utf-8", "replace"),
        is_gpu=bool(gpus),
        free_gigabytes=sum(_free(ggml, gpu) for gpu in gpus) / 1e9,
        read_gigabytes=_gigabytes_per_second(ggml, device, backend, *READ),
        written_gigabytes=_gigabytes_per_second(ggml, device, backend, *WRITTEN),
    )
    sys.stdout.buffer.write(msgspec.json.encode(found))


def _gpus(ggml: _Ggml) -> list[Pointer]:
    """Gives the GPUs that llama.cpp uses: it leaves out integrated ones if there are others."""
    return _devices(ggml, GPU) or _devices(ggml, INTEGRATED_GPU)


def _devices(ggml: _Ggml, kind: int) -> list[Pointer]:
    count = ggml("backend_dev_count", result=ctypes.c_size_t)
    places = map(ctypes.c_size_t, range(count))
    devices = [Pointer(ggml("backend_dev_get", place)) for place in places]
    return [one for one in devices if ggml("backend_dev_type", one, result=ctypes.c_int) == kind]


def _own(ggml: _Ggml, device: Pointer, name: bytes) -> Any:
    """Gives the address of a function that only some kinds of device have, or None."""
    return ggml(
        "backend_reg_get_proc_address", Pointer(ggml("backend_dev_backend_reg", device)), name
    )


def _free(ggml: _Ggml, device: Pointer) -> int:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml("backend_dev_memory", device, ctypes.byref(free), ctypes.byref(total), result=None)
    return free.value


def _gigabytes_per_second(
    ggml: _Ggml, device: Pointer, backend: Pointer, matrices: int, tokens: int
) -> float:
    """Multiplies so many matrices with the vectors of so many tokens, a few times."""
    held, computed = _context(ggml, matrices), _context(ggml, matrices + 1)
    weights = [_matrix(ggml, held, Q4_0, ROWS) for _ in range(matrices)]
    _allocate(ggml, held, _place_of_weights(ggml, device))
    size = ggml("nbytes", weights[0])
    zeros = ctypes.create_string_buffer(size)
    for matrix in weights:
        data = (zeros, ctypes.c_size_t(0), ctypes.c_size_t(size))
        ggml("backend_tensor_set", matrix, *data, result=None)
    graph = Pointer(ggml("new_graph", computed))
    vectors = _matrix(ggml, computed, FLOAT, tokens)
    for matrix in weights:
        product = Pointer(ggml("mul_mat", computed, matrix, vectors))
        ggml("build_forward_expand", graph, product, result=None)
    buffer = _allocate(ggml, computed, Pointer(ggml("backend_dev_buffer_type", device)))
    ggml("backend_buffer_clear", buffer, ctypes.c_uint8(0), result=None)

    def compute() -> None:
        if ggml("backend_graph_compute", backend, graph, result=ctypes.c_int):
            raise MemoryError

    return float(matrices * tokens * size / 1e9 / _fastest(compute))


def _context(ggml: _Ggml, tensors: int) -> Pointer:
    """Creates a context, which describes tensors and a graph."""
    size = tensors * ggml("tensor_overhead") + ggml("graph_overhead")
    return Pointer(ggml("init", _Memory(size, None, True)))


def _place_of_weights(ggml: _Ggml, device: Pointer) -> Pointer:
    """Gives the kind of buffer in which llama.cpp puts weights.

    A processor may have kinds that arrange the weights for its instructions.
    """
    find = _own(ggml, device, b"ggml_backend_dev_get_extra_bufts")
    if find:
        kinds = ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)(find)(device)
        if kinds and kinds[0]:
            return Pointer(kinds[0])
    return Pointer(ggml("backend_dev_buffer_type", device))


def _allocate(ggml: _Ggml, context: Pointer, place: Pointer) -> Pointer:
    buffer = ggml("backend_alloc_ctx_tensors_from_buft", context, place)
    if not buffer:
        raise MemoryError
    return Pointer(buffer)


def _matrix(ggml: _Ggml, context: Pointer, kind: int, rows: int) -> Pointer:
    shape = (ctypes.c_int64(COLUMNS), ctypes.c_int64(rows))
    return Pointer(ggml("new_tensor_2d", context, kind, *shape))


def _fastest(work: Callable[[], None]) -> float:
    """Gives the seconds of the fastest run, which was the least disturbed."""
    work()  # the first run also prepares the device
    times: list[float] = []
    while len(times) < LEAST_RUNS or sum(times) < LEAST_SECONDS:
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
