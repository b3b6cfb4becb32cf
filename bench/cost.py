"""Measures a model file on this machine: reading and writing speed, first token, memory.

Run as `python -m bench.cost FILE`, with nothing else running. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from bench.support.statistics import percentile
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.host.load import Ready, load
from mistral_lsp.inference.assembly import PromptTokens

WINDOW = 4096
READ = 448
KEYS = 20
TOKENS_OF_A_KEY = 2
"""New prompt tokens per keystroke: a typed character changes the last one or two tokens."""
WRITTEN = 16


def measure(path: Path, engine: str, threads: int) -> dict[str, Any]:
    """Loads the model file and measures it.

    `reading` is the speed of evaluating `READ` prompt tokens, and `writing` the speed of generation
    after them. Both are in tokens per second.
    """
    begun = time.perf_counter()
    ready = load(Load(engine, str(path.resolve()), WINDOW, threads, 0))
    loading = time.perf_counter() - begun
    ids = ready.tokenizer.text("value = function(argument)\n" * READ)
    reading = _seconds(ready, ids[:READ], 0)
    keys = [
        _seconds(ready, ids[: READ + TOKENS_OF_A_KEY * key], 1) * 1000 for key in range(1, KEYS + 1)
    ]
    writing = _seconds(ready, ids[: READ + TOKENS_OF_A_KEY * KEYS], WRITTEN)
    return {
        "file": path.name,
        "gigabytes": round(path.stat().st_size / 1e9, 2),
        "loading_seconds": round(loading, 1),
        "reading": round(READ / reading, 1),
        "writing": round(ready.decoder.usage.generated_tokens / writing, 1),
        "first_token_ms": {f"p{rank}": percentile(keys, rank) for rank in (50, 95)},
        "resident_gb": round(psutil.Process().memory_info().rss / 1e9, 2),
    }


def _seconds(ready: Ready, prompt: Sequence[int], tokens: int) -> float:
    """Gives the seconds for evaluating the prompt's new tokens and generating `tokens` tokens."""
    begun = time.perf_counter()
    for _ in ready.decoder.generate(PromptTokens(prompt), tokens, lambda: False):
        pass
    return time.perf_counter() - begun


def main() -> None:
    """Measures the file named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--engine", default="llama_cpp", choices=("llama_cpp", "ctransformers"))
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(measure(options.file, options.engine, options.threads)))


if __name__ == "__main__":
    main()
