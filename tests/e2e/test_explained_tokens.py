"""The command `explain` counts the tokens that the model receives, with or without BOS."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mistral_lsp.models import store

SAYS_BOS = b"tokenizer.ggml.add_bos_token\x07\0\0\0"
TEXT = (
    "def total(prices):\n    result = 0\n    for price in prices:\n        res\n    return result\n"
)


@pytest.fixture
def without_bos(tmp_path: Path) -> Path:
    """Copies the embedded model; the copy's header asks for no BOS token, like Qwen2.5-Coder's."""
    whole = store.locate("").read_bytes()
    assert whole.count(SAYS_BOS + b"\1") == 1
    path = tmp_path / "without_bos.gguf"
    path.write_bytes(whole.replace(SAYS_BOS + b"\1", SAYS_BOS + b"\0", 1))
    return path


@pytest.mark.parametrize("engine", ["llama_cpp", "ctransformers"])
def test_a_beginning_is_counted_where_the_model_gets_one(own_home, without_bos, engine) -> None:
    file = without_bos.with_name("main.py")
    file.write_text(TEXT)
    totals = {}
    for model in ("", str(without_bos)):
        words = [sys.executable, "-m", "mistral_lsp", "--engine", engine, "--model", model]

        def run(command: str, words: list[str] = words) -> dict:
            given = [*words, command, f"{file}:4:12", "--json"]
            return json.loads(subprocess.run(given, capture_output=True, check=True).stdout)

        told, done = run("explain"), run("complete")
        assert told["parts"][0]["label"] == "bos"
        assert told["parts"][0]["tokens"] == (0 if model else 1)
        assert told["tokens"] == sum(part["tokens"] for part in told["parts"])
        assert told["tokens"] == done["prompt_tokens"], "with the word at the cursor left out"
        totals[model] = told["tokens"]
    assert totals[""] == totals[str(without_bos)] + 1
