"""The whole life of a model: listed, downloaded, chosen, used by an editor, removed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from tests.support.hub import MODEL, hub
from tests.support.models import named

Run = Callable[..., "subprocess.CompletedProcess[str]"]
QUANTISED, USUAL = "mistral-7b-instruct-v0.2:Q4_0", "mistral-7b-instruct-v0.2"
FILES = {
    QUANTISED: "mistral-7b-instruct-v0.2.Q4_0.gguf",
    USUAL: "mistral-7b-instruct-v0.2.Q5_K_M.gguf",
}
FOLDER = "größere Modelle"
URI = "file:///sums/add.py"
TEXT = "def add(first, second):\n    return first + \n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Gives the address of a played model hub."""
    with hub(tmp_path_factory.mktemp("hub"), FILES.values()) as address:
        yield address


@pytest.fixture
def run(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Gives a function that runs `mistral-lsp models`, in a working folder of its own."""
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("MISTRAL_LSP_MODELS", str(tmp_path / FOLDER))
    monkeypatch.chdir(tmp_path)

    def begin(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mistral_lsp", "models", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    return begin


def listed(run: Run, name: str) -> tuple[bool, bool]:
    """Gives whether `models list` shows the model `name` as downloaded, and whether as in use."""
    models = json.loads(run("list", "--json").stdout)["models"]
    return next((one["here"], one["used"]) for one in models if one["name"] == name)


def has_ghost_text(client: Client) -> bool:
    client.open(URI, TEXT)
    return bool(client.items(client.ask(URI, 1, 19)))


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        (QUANTISED, QUANTISED),
        (USUAL, USUAL),
        (QUANTISED, f"./{FOLDER}/{FILES[QUANTISED]}"),
    ],
)
def test_from_the_list_to_ghost_text_and_back(run, start, tmp_path, name, chosen) -> None:
    assert listed(run, name) == (False, False)
    pulled = run("pull", name)
    assert pulled.returncode == 0, pulled.stderr
    assert f"models use {name}" in pulled.stdout
    file = tmp_path / FOLDER / FILES[name]
    assert str(file) in pulled.stdout.splitlines() and file.is_file()
    assert run("verify", chosen).returncode == 0
    assert run("use", chosen).returncode == 0
    assert listed(run, name) == (True, True)
    client = start(engine="ctransformers")
    client.initialize()
    assert client.wait_until_ready()["model"] == MODEL
    assert has_ghost_text(client)
    client.close()
    removed = run("remove", chosen)
    assert removed.returncode == 0, removed.stderr
    assert not file.exists() and listed(run, name)[0] is False


def test_a_file_of_ones_own_is_chosen_by_its_path_and_not_deleted(run, start, tmp_path) -> None:
    file = tmp_path / "für mich" / "ein Modell.gguf"
    file.parent.mkdir()
    named(file, b"my own")
    assert run("use", "für mich/ein Modell.gguf").returncode == 0
    client = start(engine="ctransformers")
    client.initialize()
    assert client.wait_until_ready()["model"] == "my own"
    assert has_ghost_text(client)
    client.close()
    refused = run("remove", str(file))
    assert refused.returncode == 2 and f"{file} is not the file of a known model" in refused.stderr
    assert file.is_file()


def test_from_an_editors_list_to_ghost_text_and_back(run, start) -> None:
    """An editor asks the server for the list, runs `models pull`, and changes its setting."""
    client = start(engine="ctransformers")
    client.initialize()
    client.wait_until_ready()

    def offered() -> tuple[bool, bool]:
        found = client.request("workspace/executeCommand", {"command": "mistralLsp.models"})
        assert found["setting"] == "model"
        return next((one["here"], one["used"]) for one in found["models"] if one["name"] == USUAL)

    def choose(model: str) -> None:
        client.drain()
        client.notifications.clear()
        settings = {"settings": {"mistralLsp": {"model": model}}}
        client.notify("workspace/didChangeConfiguration", settings)

    assert offered() == (False, False)
    assert run("pull", USUAL).returncode == 0
    assert offered() == (True, False)
    choose(USUAL)
    assert client.wait_until_ready()["model"] == MODEL
    assert offered() == (True, True)
    assert has_ghost_text(client)
    assert run("remove", USUAL).returncode == 0
    assert offered() == (False, True)
    client.request("workspace/executeCommand", {"command": "mistralLsp.reload"})
    with pytest.raises(RuntimeError, match=f"models pull {USUAL}"):
        client.wait_until_ready()
    client.close()


def test_a_chosen_model_that_a_server_hides_is_told_so(run, tmp_path) -> None:
    settings = tmp_path / "config" / "mistral-lsp" / "config.toml"
    settings.write_text('httpUrl = "http://localhost:8080"\n')
    assert "a server is used instead" in run("use", "mistral-lsp-tiny-fim").stdout
    models = json.loads(run("list", "--json").stdout)["models"]
    assert not [one for one in models if one["used"]]
    settings.write_text("")
    assert "server" not in run("use", "mistral-lsp-tiny-fim").stdout


def test_a_model_named_on_the_command_line_is_wanted_and_not_the_server(run, tmp_path) -> None:
    settings = tmp_path / "config" / "mistral-lsp" / "config.toml"
    settings.write_text('httpUrl = "http://localhost:9"\n')
    file = tmp_path / "add.py"
    file.write_text(TEXT)
    command = [sys.executable, "-m", "mistral_lsp", "complete", f"{file}:2:20", "--json"]
    for options, asks_server in ((["--model", "mistral-lsp-tiny-fim"], False), ([], True)):
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        assert ("localhost:9" in done.stdout + done.stderr) is asks_server, done
        assert asks_server or json.loads(done.stdout)["text"], done


def test_a_quantisation_that_nobody_published_is_a_sentence(run) -> None:
    done = run("pull", "mistral-7b-instruct-v0.2:Q1")
    assert done.returncode == 2 and "Known are: mistral-7b-instruct-v0.2, " in done.stderr
