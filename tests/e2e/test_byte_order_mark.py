"""A byte order mark at the start of a file is not part of the file's text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mistral_lsp import config
from mistral_lsp.commands import models
from mistral_lsp.context import walk

MARK = b"\xef\xbb\xbf"
TEXT = "def add(a, b): \n"


@pytest.fixture
def run(own_home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"answers": [{"after": TEXT.rstrip("\n"), "answer": "pass\n"}]}))
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))

    def begin(command: str, place: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted", command, place]
        return subprocess.run([*words, "--json"], capture_output=True, text=True, check=False)

    return begin


def test_commands_count_columns_as_editors_do(run, tmp_path) -> None:
    marked, plain = tmp_path / "marked.py", tmp_path / "plain.py"
    marked.write_bytes(MARK + TEXT.encode())
    plain.write_bytes(TEXT.encode())
    column = len(TEXT)
    found = json.loads(run("complete", f"{marked}:1:{column}").stdout)
    end = {"line": 1, "column": column}
    assert (found["text"], found["range"]) == ("pass", {"start": end, "end": end})
    told = json.loads(run("explain", f"{marked}:1:{column}").stdout)
    assert TEXT.rstrip("\n") in [part["text"] for part in told["parts"]]
    assert "\ufeff" not in json.dumps(told, ensure_ascii=False)
    for file in (marked, plain):
        assert run("trace", f"{file}:1:{column}").returncode == 0
        past = run("complete", f"{file}:1:{column + 1}")
        assert past.returncode == 2 and f"column {column + 1}" in past.stderr


def test_a_mark_alone_is_an_empty_file(run, tmp_path) -> None:
    file = tmp_path / "empty.py"
    file.write_bytes(MARK)
    assert run("complete", f"{file}:1:1").returncode == 0
    assert run("complete", f"{file}:1:2").returncode == 2


def test_a_wrong_byte_is_told_where_it_is_in_the_file(run, tmp_path) -> None:
    file = tmp_path / "wrong.py"
    file.write_bytes(MARK + b"x\xff")
    assert "(byte 4)" in run("complete", f"{file}:1:1").stderr


def test_it_stands_in_no_excerpt_of_another_file(tmp_path) -> None:
    (tmp_path / "other.py").write_bytes(MARK + TEXT.encode())
    found = walk.read_text(tmp_path / "other.py")
    assert found is not None and found[0] == TEXT


def test_the_users_settings_may_begin_with_it(own_home) -> None:
    path = config.user_file()
    path.write_bytes(MARK + b"threads = 2\n")
    settings, problems = config.load_user_settings()
    assert (settings.threads, problems) == (2, [])
    models.use("mistral-lsp-tiny-fim")
    settings, problems = config.load_user_settings()
    assert (settings.threads, settings.model, problems) == (2, "", [])
