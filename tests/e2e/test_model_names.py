"""The model file that a name stands for, in commands and in an editor's settings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mistral_lsp.models import registry
from tests.support.models import named

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes a models folder with a file of the user's own and the file of a known model."""
    folder = tmp_path_factory.mktemp("models")
    named(folder / "mine.gguf", b"mine")
    named(folder / registry.entries()["codellama-7b"].file, b"downloaded")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes a cloned repository that contains files with the names of models, and enters it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    named(folder / "mine.gguf", b"hostile")
    for name in ("mine", "codellama-7b"):
        (folder / name).hardlink_to(folder / "mine.gguf")
    (folder / "a.py").write_text("def add(a, b):\n    return \n")
    monkeypatch.setenv("MISTRAL_LSP_MODELS", str(models))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(workspace: Path) -> Run:
    def begin(*arguments: str, folder: Path = workspace) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mistral_lsp", *arguments]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=120
        )

    return begin


def completed_by(run: Run, *options: str, folder: Path | None = None) -> str:
    """Gives the model that wrote a completion, or the reason or error message if there is none."""
    place = f"{Path.cwd() / 'a.py'}:2:12"
    where = {"folder": folder} if folder else {}
    done = run("complete", place, "--json", "--engine", "ctransformers", *options, **where)
    if done.returncode:
        return done.stderr
    found = json.loads(done.stdout)
    return found["model"] or found["reason"]


@pytest.mark.parametrize(
    ("name", "model"),
    [("mine", "mine"), ("mine.gguf", "mine"), ("codellama-7b", "downloaded")],
)
def test_a_name_finds_the_downloaded_model(run, name, model) -> None:
    assert completed_by(run, "--model", name) == model
    assert run("models", "use", name).returncode == 0
    assert completed_by(run) == model


def test_a_relative_path_is_that_of_who_wrote_it(run, workspace, tmp_path) -> None:
    assert completed_by(run, "--model", "./mine.gguf") == "hostile", "who says so, gets it"
    settings = tmp_path / "config" / "mistral-lsp" / "config.toml"
    settings.write_text('model = "./own.gguf"\n')
    named(settings.with_name("own.gguf"), b"beside settings")
    assert completed_by(run) == "beside settings"
    assert run("models", "use", "./mine.gguf").returncode == 0
    assert f'model = "{workspace / "mine.gguf"}"' in settings.read_text()
    assert completed_by(run, folder=tmp_path) == "hostile"


def test_a_name_that_nobody_has_is_a_sentence(run) -> None:
    (Path.cwd() / "theirs").hardlink_to(Path.cwd() / "mine.gguf")
    assert "No model is called 'theirs'" in completed_by(run, "--model", "theirs")
    done = run("models", "use", "theirs")
    assert done.returncode == 2 and "No model is called 'theirs'" in done.stderr
    assert "begins with no user" in completed_by(run, "--model", "~nosuchuser/x")
    assert "mistral-7b-v0.1 is not on this machine" in completed_by(
        run, "--model", "mistral-7b-v0.1"
    )


@pytest.mark.parametrize("model", ["./mine.gguf", "sub/../mine.gguf", "theirs.gguf"])
def test_an_editors_setting_is_no_path_from_the_workspace(start, workspace, model) -> None:
    (workspace / "theirs.gguf").hardlink_to(workspace / "mine.gguf")
    client = start(engine="ctransformers")
    client.initialize({"model": model})
    assert client.wait_until_ready()["model"] == registry.EMBEDDED
    assert "is no whole path" in client.status()["last_error"]


def test_an_editors_setting_may_be_a_name_or_a_whole_path(start, workspace) -> None:
    for model in ("mine", str(workspace / "mine.gguf")):
        client = start(engine="ctransformers")
        client.initialize({"model": model})
        assert client.wait_until_ready()["model"] == ("mine" if model == "mine" else "hostile")
