"""The model that a name means in the settings, on the command line and from a client."""

from __future__ import annotations

from pathlib import Path

import pytest

from mistral_lsp import config
from mistral_lsp.commands import models
from mistral_lsp.config import Settings
from mistral_lsp.engine.frames import Load
from mistral_lsp.models import registry, store
from mistral_lsp.types import UserError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch) -> Path:
    """Makes a models folder with files, and a workspace with files of the same names."""
    models, workspace = tmp_path / "models", tmp_path / "workspace"
    for folder in (models, workspace, workspace / "models"):
        folder.mkdir()
    known = registry.entries()["codellama-7b"].file
    for name in ("mine.gguf", "yours", "codellama-7b", known):
        (workspace / name).write_bytes(store.locate("").read_bytes()[:1000])
    for name in ("mine.gguf", "yours", known):
        (models / name).write_bytes(b"")
    monkeypatch.setenv("MISTRAL_LSP_MODELS", str(models))
    monkeypatch.setattr(config, "user_file", lambda: tmp_path / "settings" / "config.toml")
    monkeypatch.chdir(workspace)
    return tmp_path


def named(model: str, folder: Path | None) -> str:
    """Gives the model loaded for the setting `model`, or the problems with it.

    A relative path is relative to `folder`.
    """
    settings, problems = config.read({"model": model}, Settings(), folder)
    return " ".join(problems) or Load.of(settings).model


@pytest.mark.parametrize("model", ["mine", "mine.gguf", "yours", "codellama-7b"])
def test_a_name_is_that_of_a_downloaded_model_wherever_it_stands(machine, model) -> None:
    for folder in (None, machine, machine / "workspace"):
        found = Path(named(model, folder))
        assert found.parent == machine / "models", found


def test_the_embedded_one_has_one_name() -> None:
    assert Load.of(Settings(model=registry.EMBEDDED)) == Load.of(Settings())


@pytest.mark.parametrize("model", ["./mine.gguf", "other.gguf", "below/other.gguf", "../a.gguf"])
def test_a_relative_path_is_relative_to_where_it_was_written(machine, model) -> None:
    assert named(model, machine / "settings") == str((machine / "settings" / model).resolve())
    assert "is no whole path" in named(model, None)
    path = config.user_file()
    path.parent.mkdir()
    path.write_text(f'model = "{model}"\n')
    settings, problems = config.load_user_settings()
    assert not problems and Path(settings.model).is_absolute()
    assert named(str(machine / "x.gguf"), None) == str(machine / "x.gguf")


def test_what_is_named_by_its_path_or_through_a_link_is_the_same(machine) -> None:
    (machine / "link.gguf").symlink_to(machine / "models" / "mine.gguf")
    names = ("mine", "mine.gguf", str(machine / "models/mine.gguf"), str(machine / "link.gguf"))
    assert len({named(name, None) for name in names}) == 1


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("a\0b", "a character that is none"),
        ("/a\0.gguf", "a character that is none"),
        ("\ud83d", "a character that is none"),
        ("/models/\udcff.gguf", "a character that is none"),
        ("~nosuchuser/x", "begins with no user"),
        ("~nosuchuser", "begins with no user"),
        ("x" * 100_000, "100,000 characters"),
        (".", "no whole path"),
        ("..", "no whole path"),
    ],
)
def test_what_names_no_file_is_said_and_left_out(model, says) -> None:
    settings, problems = config.read({"model": model}, Settings(window=7))
    assert settings == Settings(window=7) and len(problems) == 1
    assert "mistralLsp.model" in problems[0] and says in problems[0]


@pytest.mark.parametrize("key", ["httpUrl", "httpModel", "engine"])
def test_nor_is_half_a_character_in_another_setting(key) -> None:
    settings, problems = config.read({key: "a\ud83d"}, Settings())
    assert settings == Settings() and len(problems) == 1
    _, problems = config.read({"exclude": ["*.py", "\udc00"]}, Settings())
    _, more = config.read({"languages": {"\ud800": False}}, Settings())
    assert len(problems) == len(more) == 1


@pytest.mark.parametrize("model", ["nobody", "x" * 300, "a b", "mine.bin"])
def test_a_name_that_nobody_has_is_a_sentence(machine, model) -> None:
    assert Load.of(Settings(model=model)).model == model
    with pytest.raises(UserError, match=r"No model is called .*models list"):
        store.locate(model)
    with pytest.raises(UserError, match="No model is called"):
        models.use(model)


def test_use_writes_a_name_or_a_whole_path(machine, monkeypatch) -> None:
    monkeypatch.setattr("mistral_lsp.models.gguf.read_header", lambda path: None)
    for model, written in (
        ("mine", "mine"),
        ("codellama-7b", "codellama-7b"),
        ("./mine.gguf", str(machine / "workspace" / "mine.gguf")),
        ("other.gguf", str(machine / "workspace" / "other.gguf")),
        ("mine.gguf", str(machine / "models" / "mine.gguf")),
        (registry.EMBEDDED, ""),
    ):
        models.use(model)
        assert config.load_user_settings()[0].model == written
