"""Reads damaged model files: each must be read, or refused with a reason.

Run as `python -m bench.soak headers --headers 100000`.
"""

from __future__ import annotations

import resource
import struct
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import Any

from mistral_lsp.models import registry
from mistral_lsp.models.gguf import BadModelFile, read_header

SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
STRING, ARRAY = 8, 9
TELLING = (0, 1, 2, 8, 9, 0xFF, 1 << 16, (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 62, (1 << 64) - 1)
KEYS = (
    "general.architecture",
    "general.name",
    "general.alignment",
    "llama.context_length",
    "llama.attention.sliding_window",
    "tokenizer.ggml.model",
    "tokenizer.ggml.tokens",
    "tokenizer.ggml.token_type",
    "tokenizer.ggml.bos_token_id",
    "tokenizer.ggml.add_bos_token",
    "tokenizer.ggml.fim_pre_token_id",
    "tokenizer.ggml.fim_mid_token_id",
    "tokenizer.ggml.prefix_token_id",
)
LARGEST_GROWTH_MB = 64


def text(value: str) -> bytes:
    """Encodes a string in the format GGUF."""
    body = value.encode()
    return struct.pack("<Q", len(body)) + body


def value(chance: Random, kind: int, depth: int = 0) -> bytes:
    """Encodes a random value of the GGUF type with the number `kind`. Leaves the number out."""
    if kind == STRING:
        return text(chance.choice(("llama", "gpt2", "<fim_middle>", "", "é")))
    if kind == ARRAY:
        inner = chance.choice((*SCALARS, STRING, *((ARRAY,) if depth < 3 else ())))
        count = chance.randint(0, 6)
        body = b"".join(value(chance, inner, depth + 1) for _ in range(count))
        return struct.pack("<IQ", inner, count) + body
    form = SCALARS[kind]
    size = struct.calcsize(f"<{form}")
    return chance.choice(TELLING).to_bytes(8, "little")[:size]


def header(chance: Random) -> bytes:
    """Makes a well-formed model file with known keys and random values."""
    keys = chance.sample(KEYS, chance.randint(0, len(KEYS)))
    pairs = b""
    for key in keys:
        kind = chance.choice((*SCALARS, STRING, ARRAY, ARRAY))
        pairs += text(key) + struct.pack("<I", kind) + value(chance, kind)
    tensors = [
        text("t")
        + struct.pack("<IQQIQ", 2, chance.choice(TELLING[:6]), 2, chance.randint(0, 31), 0)
        for _ in range(chance.randint(0, 3))
    ]
    start = b"GGUF" + struct.pack("<IQQ", chance.choice((2, 3)), len(tensors), len(keys))
    return start + pairs + b"".join(tensors) + b"\0" * 256


def mutated(chance: Random, whole: bytes) -> bytes:
    """Damages a file: changes bytes, overwrites numbers, or truncates it."""
    changed = bytearray(whole)
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(4, len(changed))
        if chance.random() < 0.5:
            changed[at] = chance.randrange(256)
        else:
            changed[at : at + 8] = chance.choice(TELLING).to_bytes(8, "little")
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.2 else changed)


def run(count: int, seed: int = 1) -> dict[str, Any]:
    """Reads `count` files. `wrongs` has each outcome that is neither a header nor BadModelFile."""
    chance = Random(seed)
    before = _peak_mb()
    started = time.perf_counter()
    read, slowest, wrongs = 0, 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        for _ in range(count):
            path.write_bytes(mutated(chance, header(chance)))
            begun = time.perf_counter()
            try:
                found = read_header(path)
                registry.form(found)
                assert 0 < registry.window(found) <= registry.LARGEST_WINDOW
                assert all(number >= 0 for number in found.specials.values())
                read += 1
            except BadModelFile:
                pass
            except Exception:  # noqa: BLE001
                wrongs.append(traceback.format_exc()[-400:])
            slowest = max(slowest, time.perf_counter() - begun)
    grown = _peak_mb() - before
    if grown > LARGEST_GROWTH_MB:
        wrongs.append(f"memory grew by {grown} MB")
    return {
        "headers": count,
        "read": read,
        "crashes": len(wrongs),
        "slowest_ms": round(slowest * 1000, 1),
        "grown_mb": grown,
        "seconds": round(time.perf_counter() - started, 1),
        "wrongs": wrongs[:5],
    }


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
