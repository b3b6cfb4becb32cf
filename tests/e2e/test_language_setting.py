"""The setting `languages` is searched for the client's language id, then for ours, then for `*`."""

from __future__ import annotations

import subprocess
import sys

from bench.support.lsp_client import Client

SCRIPT = [{"after": "", "answer": "x = 1\n"}]
CASES = (
    ({"vue": False}, {"vue": False, "python": True, "": True}),
    ({"svelte": True, "*": False}, {"svelte": True, "vue": False, "python": False}),
    ({"javascriptreact": False}, {"javascriptreact": False, "javascript": True}),
    ({"javascript": False}, {"javascriptreact": False, "javascript": False, "typescript": True}),
    ({"javascript": False, "javascriptreact": True}, {"javascriptreact": True}),
    ({"jsonc": False}, {"jsonc": False, "json": True}),
    ({"bash": False}, {"shellscript": False, "sh": False, "bash": False}),
    ({"sh": False}, {"shellscript": True, "sh": False}),
    ({"tsx": False, "typescriptreact": True}, {"typescriptreact": True}),
    ({"python": True, "*": False}, {"python": True, "plaintext": False, "": False}),
)


def offers(client: Client, language: str) -> bool:
    uri = f"file:///project/of_{language}"
    client.open(uri, "a\n", language)
    items = client.items(client.ask(uri, 1, 0))
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return bool(items)


def test_a_language_is_switched_by_the_clients_word_for_it(ready) -> None:
    client = ready(answers=SCRIPT)
    for languages, expected in CASES:
        pushed = {"settings": {"mistralLsp": {"languages": languages}}}
        client.notify("workspace/didChangeConfiguration", pushed)
        assert {name: offers(client, name) for name in expected} == expected, languages


def test_why_nothing_is_offered_names_the_language_as_the_client_does(ready) -> None:
    client = ready({"languages": {"vue": False}}, answers=SCRIPT)
    assert not offers(client, "vue")
    reason = client.status()["last_request"]["reason"]
    assert reason == "vue is switched off (mistralLsp.languages)"


def test_a_file_that_no_client_names_has_the_usual_word(own_home, tmp_path) -> None:
    settings = tmp_path / "config" / "mistral-lsp" / "config.toml"
    settings.write_text("keepLoadedSeconds = 0\nlanguages = {shellscript = false}\n")
    (tmp_path / "run.sh").write_text("echo \n")
    words = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted", "complete"]
    place = f"{tmp_path / 'run.sh'}:1:6"
    done = subprocess.run([*words, place], capture_output=True, text=True, check=True)
    assert "bash is switched off" in done.stderr
