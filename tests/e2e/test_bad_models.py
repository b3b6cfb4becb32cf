"""Invalid model files are refused with a message, even those that would crash a library."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from mistral_lsp.models import registry
from tests.support.models import with_number

URI = "file:///project/main.py"
TEXT = "def add(a, b):\n    return \n"


def failure(client: Client) -> str:
    """Waits until the engine fails; gives the error in the server's status."""
    client.initialize()
    with pytest.raises(RuntimeError):
        client.wait_until_ready()
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 11)) == []
    status = client.status()
    assert status["state"] == "failed" and "died" not in status["last_error"]
    return status["last_error"]


def made(kind: str, path: Path) -> Path:
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a link to nothing":
        path.symlink_to(path.with_name("nothing"))
    elif kind == "a link to itself":
        path.symlink_to(path)
    elif kind == "a link to a pipe":
        os.mkfifo(path.with_name("pipe"))
        path.symlink_to(path.with_name("pipe"))
    elif kind == "an empty file":
        path.touch()
    elif kind.startswith("/dev"):
        return Path(kind)
    return path


KINDS = [
    "a pipe", "a folder", "a link to nothing", "a link to itself", "a link to a pipe",
    "an empty file", "/dev/zero", "/dev/null", "/dev/tty",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_said(start, tmp_path, kind) -> None:
    path = made(kind, tmp_path / "model.gguf")
    assert str(path)[:9] in failure(start("--model", str(path), engine="auto"))
    command = [sys.executable, "-m", "mistral_lsp", "models", "use", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_socket_is_said(start, tmp_path, own_home) -> None:
    path = own_home / "model.gguf"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        assert "can't be read" in failure(start("--model", str(path), engine="auto"))


@pytest.mark.parametrize(
    "model", ["a\0b", "/a\0", "~nosuchuser/x", "\ud83d", "x" * 5_000, "/" + "x" * 300, "." * 4_000]
)
def test_initialize_is_answered_whatever_the_model_is_called(start, model) -> None:
    client = start(engine="auto")
    client.initialize({"model": model})
    client.open(URI, TEXT)
    if model.startswith("/x"):
        with pytest.raises(RuntimeError, match="can't be read"):
            client.wait_until_ready()
    elif model.startswith(".."):
        with pytest.raises(RuntimeError, match="No model is called"):
            client.wait_until_ready()
    else:
        assert client.wait_until_ready()["model"] == registry.EMBEDDED
        assert "mistralLsp.model" in client.status()["last_error"]
        assert client.items(client.ask(URI, 1, 11))


@pytest.mark.parametrize("uri", ["file://[", "file:///a%00b", "file:///%ff", "x" * 9_000, "[", ""])
def test_initialize_is_answered_whatever_the_folder_is_called(start, uri) -> None:
    client = start()
    client.request(
        "initialize",
        {
            "processId": None,
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": "x"}],
            "capabilities": {},
        },
    )
    client.notify("initialized", {})
    client.wait_until_ready()
    client.open("file:///a.py", "def add(a, b):\n    \n")
    assert client.items(client.ask("file:///a.py", 1, 4))


BAD = [
    ("tokenizer.ggml.bos_token_id", 4_000_000_000, "bos_token_id is 4000000000"),
    ("tokenizer.ggml.eos_token_id", 32_000, "eos_token_id is 32000, but there are 32000"),
    ("tokenizer.ggml.fim_mid_token_id", 65_536, "fim_mid_token_id is 65536"),
    ("tokenizer.ggml.fim_sep_token_id", 1 << 31, "fim_sep_token_id is"),
    ("llama.block_count", 0, "block_count is 0"),
    ("llama.block_count", 4_294_967_295, "block_count is"),
    ("llama.context_length", 5, "context_length is 5"),
]


@pytest.mark.parametrize(("key", "number", "says"), BAD)
def test_a_number_that_would_end_any_engine_is_said(start, tmp_path, key, number, says) -> None:
    path = with_number(tmp_path / "model.gguf", key, number)
    assert says in failure(start("--model", str(path), engine="auto"))


OLD = [
    ("tokenizer.ggml.unknown_token_id", 65_536, "unknown_token_id is 65536"),
    ("llama.attention.head_count", 0, "head_count is 0"),
    ("llama.attention.head_count_kv", 0, "head_count_kv is 0"),
    ("llama.attention.head_count_kv", 64, "head_count_kv is 64, of 9"),
]


@pytest.mark.parametrize(("key", "number", "says"), OLD)
def test_a_number_that_would_end_ctransformers_is_said(start, tmp_path, key, number, says) -> None:
    path = with_number(tmp_path / "model.gguf", key, number)
    assert says in failure(start("--model", str(path), engine="ctransformers"))


def test_a_window_for_nothing_ends_no_engine(start) -> None:
    for engine in ("llama_cpp", "ctransformers"):
        client = start("--window", "1", engine=engine)
        client.initialize()
        client.wait_until_ready()
        client.open(URI, TEXT)
        client.items(client.ask(URI, 1, 11))
        assert client.status()["state"] == "ready"
