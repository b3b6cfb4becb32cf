"""Reading the headers of models: the embedded model, and damaged files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from bench.soak import headers
from mistral_lsp.models import registry, store
from mistral_lsp.models.gguf import BadModelFile, read_header

EMBEDDED = store.locate("")


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key: str, value: str) -> bytes:
    return text(key) + struct.pack("<I", 8) + text(value)


def test_the_embedded_model() -> None:
    header = read_header(EMBEDDED)
    assert (header.architecture, header.context_length) == ("llama", 8192)
    assert header.specials["fim_middle"] == 5 and {1, 2, 3, 4, 5, 6, 7, 8} <= header.controls
    assert (registry.form(header), registry.window(header)) == ("suffix-first", 4096)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "only a few bytes"),
        (b"PK\3\4" + b"\0" * 40, "no GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0) + b"\0" * 8, "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("key")[:-1] + b"\0" * 3, "truncated"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60), "malformed"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 99), "malformed"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 62), "truncated"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(BadModelFile, match=says):
        read_header(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match=r"can't be read.*mistralLsp\.model"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(BadModelFile, match="can't be read"):
        read_header(tmp_path)


def test_a_truncated_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with EMBEDDED.open("rb") as file:
        path.write_bytes(file.read(5_000_000))
    with pytest.raises(BadModelFile, match=r"truncated: 5,000,000 bytes of 99,"):
        read_header(path)


def test_mutated_headers_are_read_or_refused() -> None:
    found = headers.run(3_000)
    assert not found["wrongs"] and 300 < found["read"] < 2_700


@pytest.mark.parametrize("kind", [struct.pack("<If", 6, 1.5), struct.pack("<II", 4, 7)])
def test_kinds_of_tokens_that_are_no_list_are_none(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "model.gguf"
    start = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    path.write_bytes(start + text("tokenizer.ggml.token_type") + kind + b"\0" * 64)
    assert read_header(path).controls == frozenset()


def test_a_file_does_not_choose_how_much_memory_its_window_takes(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    pairs = pair("general.architecture", "llama")
    for key in ("llama.context_length", "llama.attention.sliding_window"):
        pairs += text(key) + struct.pack("<IQ", 10, 1 << 40)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 3) + pairs + b"\0" * 64)
    assert registry.window(read_header(path)) == registry.LARGEST_WINDOW


def test_a_damaged_embedded_model_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(BadModelFile, match="damaged"):
        store._verify_once(path, registry.entries()[registry.EMBEDDED].sha256)
