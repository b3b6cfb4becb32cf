"""A model is chosen in Neovim: of this machine, of a hub, of a model server."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.llama import Router, writing
from tests.editors.nvim_driver import ADD, Editor, Open
from tests.support.hub import hub
from tests.support.models import named
from tests.support.played_server import playing

QUANTISED = "mistral-7b-instruct-v0.2:Q4_0"
FILE = "mistral-7b-instruct-v0.2.Q4_0.gguf"
COMMAND = [sys.executable, "-m", "mistral_lsp"]


def pick(editor: Editor, wanted: str) -> None:
    """Makes `vim.ui.select` choose the entry that begins with `wanted`, and record all entries."""
    editor.lua(
        """
        local wanted = ...
        vim.ui.select = function(models, options, on_choice)
          choices = vim.tbl_map(options.format_item, models)
          for index, shown in ipairs(choices) do
            if vim.startswith(shown, wanted) then
              on_choice(models[index], index)
              return
            end
          end
        end
        """,
        wanted,
    )


def choices(editor: Editor) -> list[str]:
    return editor.lua("return choices or {}")


def servers(editor: Editor) -> list[int]:
    return list(editor.lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())"))


def test_a_model_is_chosen_from_a_list_and_the_server_takes_it(open_ready: Open) -> None:
    editor = open_ready()
    before = servers(editor)
    pick(editor, "mistral-lsp-tiny-fim")
    editor.keys(":MistralLsp model<CR>")
    editor.wait(lambda: servers(editor), lambda seen: len(seen) == 1 and seen != before)
    editor.wait_for_status("mistral ready")
    assert choices(editor)[0] == "mistral-lsp-tiny-fim: 0.125 billion parameters, 0.1 GB, in use"
    assert any(choice.endswith("to be downloaded") for choice in choices(editor))
    assert 'model = ""' in editor.own_settings.read_text("utf-8")


def test_a_model_that_is_no_model_is_refused(open_ready: Open) -> None:
    editor = open_ready()
    before = servers(editor)
    editor.keys(":MistralLsp model no-such-model<CR>")
    editor.wait(editor.messages, lambda seen: "no-such-model" in seen)
    assert servers(editor) == before


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives the models' folder, whose name has a blank and an umlaut."""
    folder = tmp_path / "größere Modelle"
    monkeypatch.setenv("MISTRAL_LSP_MODELS", str(folder))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return folder


def model_in_use(editor: Editor) -> str:
    """Gives the model that the server reports, "" while there is none."""
    return editor.lua(
        """
        local client = vim.lsp.get_clients({ name = "mistral-lsp" })[1]
        local params = { command = "mistralLsp.status" }
        local reply = client and client:request_sync("workspace/executeCommand", params, 5000)
        local model = reply and reply.result and reply.result.model
        return type(model) == "string" and model or ""
        """
    )


def wait_for_model(editor: Editor, name: str) -> None:
    editor.wait(lambda: model_in_use(editor), lambda seen: seen == name)
    editor.wait_for_status("mistral ready")


def test_a_model_is_downloaded_when_it_is_chosen_writes_and_is_removed(
    start: Open, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(tmp_path, {FILE}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        editor = start(options={"cmd": [*COMMAND, "--engine", "ctransformers"]})
        pick(editor, QUANTISED)
        editor.keys(":MistralLsp model<CR>")
        editor.wait((models / FILE).is_file, bool)
        editor.wait(editor.messages, lambda seen: f"the model is {QUANTISED}" in seen)
        editor.wait_for_status("mistral ready")
        wait_for_model(editor, "from the hub")
    assert f"{QUANTISED}: 7.24 billion parameters, 4.11 GB, to be downloaded" in choices(editor)
    editor.keys("jAre")
    editor.wait(editor.ghost, bool)
    assert f'model = "{QUANTISED}"' in editor.own_settings.read_text("utf-8")
    subprocess.run([*COMMAND, "models", "remove", QUANTISED], check=True, capture_output=True)
    assert not (models / FILE).exists()


@pytest.mark.parametrize("blank", [" ", "\\ "])
def test_a_file_is_chosen_by_its_path_with_blanks(open_ready: Open, models: Path, blank) -> None:
    models.mkdir()
    file = named(models / "ein Modell.gguf", b"my own")
    editor = open_ready()
    editor.keys(f":MistralLsp model {str(file).replace(' ', blank)}<CR>")
    editor.wait(editor.messages, lambda seen: f"the model is {file}" in seen)
    assert f'model = "{file}"' in editor.own_settings.read_text("utf-8")


def test_a_model_of_a_server_is_chosen_from_its_list_and_writes_at_once(start: Open) -> None:
    router = Router(**{name: writing(name, "re", f"turn {name}") for name in ("one", "two")})
    with playing(router) as played:
        editor = start(options={"cmd": COMMAND, "settings": {"httpUrl": played.url}})
        editor.wait_for_status("mistral failed")
        before = servers(editor)
        editor.keys("jAre<Esc>")
        for name in ("two", "one"):
            pick(editor, name)
            editor.keys(":MistralLsp model<CR>")
            wait_for_model(editor, f"{name}.gguf")
            editor.keys("A<BS>e")
            editor.wait_for_ghost(f"turn {name}")
            editor.keys("<Esc>")
        assert choices(editor) == ["one", "two: in use"]
        assert "the model is two; to keep it, set settings.httpModel" in editor.messages()
        editor.keys(":MistralLsp model two<CR>")
        wait_for_model(editor, "two.gguf")
        assert servers(editor) == before, "no server was restarted"
    assert editor.lines() == [ADD.partition("\n")[0], "    re"]


def test_a_model_server_that_is_gone_is_told_with_advice(start: Open) -> None:
    with playing(Router("one", "two")) as played:
        pass
    editor = start(options={"cmd": COMMAND, "settings": {"httpUrl": played.url}})
    editor.wait_for_status("mistral failed")
    editor.keys(":MistralLsp model<CR>")
    advice = "A model can also be named: `:MistralLsp model NAME`"
    editor.wait(editor.messages, lambda seen: advice in seen and "can't be reached" in seen)
