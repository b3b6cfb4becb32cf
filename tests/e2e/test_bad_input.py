"""Bad input gets a clear error, or an empty answer with a reason; the server keeps running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from mistral_lsp.models import store

URI = "file:///project/main.py"
TEXT = "def add(a, b):\n    \n"


def ask_failed(client: Client) -> str:
    """Initializes `client`, waits until the engine fails, and gives the error in the status."""
    client.initialize()
    with pytest.raises(RuntimeError):
        client.wait_until_ready()
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 4)) == []
    return client.status()["last_error"]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "can't be read"),
        ("truncated", "truncated"),
        ("other", "no GGUF"),
        ("folder", "can't be read"),
    ],
)
@pytest.mark.parametrize("engine", ["ctransformers", "llama_cpp"])
def test_a_model_file_that_will_not_do(start, tmp_path, kind, says, engine) -> None:
    path = tmp_path / "model.gguf"
    if kind == "truncated":
        path.write_bytes(store.locate("").read_bytes()[:4_000_000])
    elif kind == "other":
        path.write_text("print('no model')\n" * 10)
    elif kind == "folder":
        path.mkdir()
    assert says in ask_failed(start("--model", str(path), engine=engine))


@pytest.mark.parametrize("engine", ["ctransformers", "llama_cpp"])
def test_a_model_of_another_architecture(start, tmp_path, engine) -> None:
    whole = store.locate("").read_bytes()
    path = tmp_path / "model.gguf"
    path.write_bytes(whole.replace(b"\5\0\0\0\0\0\0\0llama", b"\5\0\0\0\0\0\0\0wrong", 1))
    assert "can't load" in ask_failed(start("--model", str(path), engine=engine))


def test_an_engine_that_is_not_installed(start, tmp_path, monkeypatch) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    error = ask_failed(start(engine="llama_cpp"))
    assert "not installed" in error and "mistral-lsp[fast]" in error


def test_auto_takes_what_loads(start, tmp_path, monkeypatch) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    client = start(engine="auto")
    client.initialize()
    status = client.wait_until_ready()
    assert status["engine"] == "ctransformers" and "llama_cpp" in status["why_engine"]


@pytest.mark.parametrize("line", [2, 7, 2**31 - 1])
def test_a_position_past_the_end(ready, line) -> None:
    client = ready()
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, line, 0)) == []
    assert client.items(client.ask(URI, 1, 999)), "past the end of a line means its end"


def test_an_unknown_document(ready) -> None:
    client = ready()
    assert client.items(client.ask("file:///project/none.py", 0, 0)) == []
    client.change("file:///project/none.py", 2, (0, 0), (0, 0), "x")
    assert "not open" in client.status()["last_error"]
    client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///project/none.py"}})
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 4))


def test_a_change_with_an_older_version(ready) -> None:
    client = ready()
    client.open(URI, TEXT, version=5)
    client.change(URI, 4, (1, 4), (1, 4), "pass")
    assert client.items(client.ask(URI, 1, 4)) == []
    assert "version 4 came after 5" in client.status()["last_error"]
    whole = {"textDocument": {"uri": URI, "version": 6}, "contentChanges": [{"text": TEXT}]}
    client.notify("textDocument/didChange", whole)
    assert client.items(client.ask(URI, 1, 4)), "a whole text mends it"


def test_a_five_megabyte_line(ready) -> None:
    client = ready()
    client.open(URI, "x" * 5_000_000)
    assert client.items(client.ask(URI, 0, 2_500_000)) == []
    client.change(URI, 2, (0, 10), (0, 11), "yy")
    assert client.items(client.ask(URI, 0, 5_000_001)) == []
    client.open("file:///project/long.py", "x = [" + "1, " * 100_000)
    assert client.items(client.ask("file:///project/long.py", 0, 300_005)) == []
    client.open("file:///project/ok.py", TEXT)
    assert client.items(client.ask("file:///project/ok.py", 1, 4))


def test_a_request_before_the_model_is_loaded_waits_at_most_its_deadline(start) -> None:
    client = start(engine="auto")
    client.initialize({"deadlineMs": 50})
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 4)) == []
    assert "deadline" in client.status()["last_request"]["reason"]
    client.wait_until_ready()


def test_a_host_killed_while_it_answers(ready, tmp_path) -> None:
    client = ready(delay_ms=4_000)  # which makes minutes of work
    [script] = tmp_path.glob("script*.json")
    client.open(URI, TEXT)
    number = client.ask(URI, 1, 4)
    time.sleep(0.4)
    script.write_text(script.read_text().replace("4000", "0"))  # for the next host
    os.kill(client.status()["host_pid"], signal.SIGKILL)
    assert client.items(number) == []
    client.wait_until_ready()
    assert client.items(client.ask(URI, 1, 4))


def test_a_host_that_keeps_dying_is_given_up(start) -> None:
    client = start(dies=True)
    client.initialize()
    client.open(URI, TEXT)
    for _ in range(3):
        client.wait_until_ready()
        assert client.items(client.ask(URI, 1, 4)) == []
    with pytest.raises(RuntimeError, match="died 3 times"):
        client.wait_until_ready()
    assert client.items(client.ask(URI, 1, 4)) == []
    assert "mistralLsp.reload" in client.status()["last_error"]


def test_a_workspace_brings_no_code(start, tmp_path, monkeypatch) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('hostile')\n")
    monkeypatch.chdir(tmp_path)
    command = str(Path(sys.executable).with_name("mistral-lsp"))
    client = Client([command, "--engine", "scripted"])
    try:
        client.initialize()
        assert client.wait_until_ready()["engine"] == "scripted"
    finally:
        client.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mistral_lsp", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_line_names_what_is_wrong(tmp_path) -> None:
    binary = tmp_path / "binary.py"
    binary.write_bytes(b"x = 1\n\xff\xfe\n")
    good = tmp_path / "good.py"
    good.write_text("x = 1\n")
    for place, says in [
        (f"{binary}:1:1", "not UTF-8 text (byte 6)"),
        (f"{tmp_path / 'none.py'}:1:1", "can't be read"),
        (f"{good}:3:1", "no line 3"),
        (f"{good}:1:99", "column 99"),
        (str(good), "FILE:LINE:COL"),
        (f"{good}:²:1", "FILE:LINE:COL"),
        (f"{good}:1:{'9' * 5000}", "FILE:LINE:COL"),
    ]:
        done = run("complete", place)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert says in done.stderr
    assert "ctransformers" in run("--engine", "none", "complete", f"{good}:1:1").stderr
    assert "HOST:PORT" in run("serve", "--tcp", "nowhere").stderr


def test_a_missing_model_is_a_reason_not_a_crash(tmp_path) -> None:
    good = tmp_path / "good.py"
    good.write_text("x = 1\n")
    done = run("complete", f"{good}:1:5", "--json", "--model", str(tmp_path / "none.gguf"))
    record = json.loads(done.stdout)
    assert record["text"] == "" and "can't be read" in record["reason"]


WITHOUT_USERS = """
import os, sys
del os.getuid
from mistral_lsp.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_system_that_lacks_what_is_needed_gets_a_sentence(tmp_path) -> None:
    good = tmp_path / "good.py"
    good.write_text("x = 1\n")
    for command in (["complete", f"{good}:1:5"], ["doctor"]):
        words = [sys.executable, "-c", WITHOUT_USERS, *command, "--json", "--engine", "scripted"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        record = json.loads(done.stdout)
        said = record["reason"] if command[0] == "complete" else " ".join(record["problems"])
        assert "was not foreseen" in said and "folders.py" in said
        assert "Traceback" not in done.stdout + done.stderr
