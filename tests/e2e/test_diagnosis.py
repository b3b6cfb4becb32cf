"""The commands `trace` and `doctor --bundle` show facts and times, but no code."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tiny_models import write_gemma

CODE = "def unmistakable(secret_name):\n    "


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Gives a function that runs a command with the scripted engine."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"answers": [{"after": CODE, "answer": "return 1\n"}]}))
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))
    (tmp_path / "main.py").write_text(CODE)

    def begin(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return begin


def test_a_trace_tells_what_happened_when_and_shows_no_code(run, tmp_path) -> None:
    done = run("trace", f"{tmp_path / 'main.py'}:2:5", "--json")
    record = json.loads(done.stdout)
    times = [milliseconds for milliseconds, _ in record["events"]]
    told = " / ".join(event for _, event in record["events"])
    assert times == sorted(times) and times[-1] <= record["total_ms"] + 50
    order = ["asked in Python", "model is loaded", "prompt is sent", "first token", "answered: 8"]
    places = [told.lower().find(word.lower()) for word in order]
    assert -1 not in places and places == sorted(places), told
    assert "unmistakable" not in done.stdout and "return" not in told
    table = run("trace", f"{tmp_path / 'main.py'}:2:5")
    assert "first token" in table.stdout and "unmistakable" not in table.stdout


def test_a_bundle_has_what_a_bug_needs_and_no_code(run, ready, tmp_path, own_home) -> None:
    settings = tmp_path / "config" / "mistral-lsp" / "config.toml"
    secret = "AKIAABCDEFGHIJKLMNOP/sk-proj-abcdefghijklmnop12345678"
    settings.write_text(f'keepLoadedSeconds = 0\nmodel = "models/{secret}"\n')
    client = ready(answers=[{"after": CODE, "answer": "return 1\n"}])
    uri = "file:///project/unmistakable_name.py"
    client.open(uri, CODE)
    assert client.items(client.ask(uri, 1, 4))
    report = tmp_path / "report.json"
    done = run("--model", "", "doctor", "--bundle", str(report))
    assert done.returncode == 0 and str(report) in done.stdout, done
    content = report.read_text()
    found = json.loads(content)
    assert found["findings"]["engine"] == "scripted" and found["packages"]["pygls"] == "2.1.1"
    assert found["logs_of_hosts"], "a host runs and has a log"
    assert "unmistakable" not in content and "AKIA" not in content and "sk-proj" not in content
    assert str(Path.home()) not in content
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_a_bundle_that_can_not_be_written_says_what_to_do(run, tmp_path) -> None:
    done = run("doctor", "--bundle", str(tmp_path / "none" / "report.json"))
    assert done.returncode == 2 and "--bundle FILE" in done.stderr


def test_a_bundle_takes_no_file_away(run, tmp_path) -> None:
    done = run("doctor", "--bundle", str(tmp_path / "main.py"))
    assert done.returncode == 2 and "exists" in done.stderr and "--bundle FILE" in done.stderr
    assert (tmp_path / "main.py").read_text() == CODE


@pytest.mark.parametrize(
    ("template", "said"),
    [("", "so it gets plain text"), ("{{ messages }}", "its chat template is not known here")],
)
def test_a_model_without_a_known_form_is_told_by_the_doctor(run, tmp_path, template, said) -> None:
    """Also when its window is too small for what the doctor measures."""
    path = tmp_path / "tiny.gguf"
    write_gemma(path, ["<|endoftext|>"], template)
    done = run("doctor", "--json", "--model", str(path), "--engine", "llama_cpp")
    found = json.loads(done.stdout)
    assert "no fill-in marks" in found["why_engine"] and said in found["why_engine"]
    assert done.returncode == 1 and any("window" in problem for problem in found["problems"])
