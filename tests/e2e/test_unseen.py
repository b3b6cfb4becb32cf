"""Characters that can't be seen reach no editor, neither in ghost text nor in names."""

from __future__ import annotations

import json

import pytest

from mistral_lsp.text.shown import is_unseen
from tests.support.models import named
from tests.support.played_server import Asked, Reply, playing

URI = "file:///project/main.py"


@pytest.mark.parametrize("character", ["\x1b[31m", "\u202e", "\u200b", "\x08", "\u2028"])
def test_an_answer_with_it_is_none(ready, character) -> None:
    answers = [
        {"after": "x = ", "answer": f"1 + {character}2\n"},
        {"after": "y = ", "answer": "1\n"},
    ]
    client = ready(answers=answers)
    client.open(URI, "x = \ny = \n")
    assert client.items(client.ask(URI, 0, 4)) == []
    assert [item["insertText"] for item in client.items(client.ask(URI, 1, 4))] == ["1"]


def test_a_models_own_name_is_clean(start, tmp_path) -> None:
    path = named(tmp_path / "model.gguf", b"\x1b[2J\xe2\x80\xaeevil\nname")
    client = start("--model", str(path), engine="ctransformers")
    client.initialize()
    assert client.wait_until_ready()["model"] == "[2Jevil name"


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_servers_models_have_short_clean_names(start, tmp_path, size) -> None:
    names = [f"\x1b[2Jone\u202e{'x' * size}", f"two{'y' * size}"]

    def answer(asked: Asked) -> Reply:
        return Reply.of({"data": [{"id": name} for name in names]})

    log = tmp_path / "log"
    with playing(answer) as server:
        client = start("--log-file", str(log), "--log-level", "info", engine="http")
        client.initialize({"httpUrl": server.url, "httpDialect": "openai"})
        with pytest.raises(RuntimeError, match=r"has several models \(\[2Jone"):
            client.wait_until_ready()
        status = json.dumps(client.status(), ensure_ascii=False)
    assert len(status) < 5_000 and not any(map(is_unseen, status))
    written = log.read_text("utf-8").replace("\n", "")
    assert len(written) < 20_000 and not any(map(is_unseen, written))
