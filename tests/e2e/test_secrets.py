"""Nothing is offered while a secret is typed, and no model server receives a secret."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from mistral_lsp.types import BLOT
from tests.support.played_server import playing
from tests.unit.test_remote_llama_server import PlayedModel, bytes_of

URI = "file:///project/main.py"
SECRETS = ("Hunter2", "hunter3", "a8F3kQ9zX2Vb7LmN", "ghp_a8F3kQ9zX2Vb7LmNa8F3kQ9zX2Vb7LmN12")
TEXT = f"""import os
password = "{SECRETS[0]}"
os.environ["DB_PASSWORD"] = '{SECRETS[1]}'
client = Client("{SECRETS[2]}", token="{SECRETS[3]}")

def connect():
    """


def at_end(client: Client, text: str) -> list[dict]:
    """Requests a completion by hand at the end of a text; gives the offered items."""
    line = text.count("\n")
    return client.items(client.ask(URI, line, len(text) - text.rfind("\n") - 1, kind=1))


def test_nothing_is_offered_while_a_secret_is_typed(ready: Callable[..., Client]) -> None:
    typed = 'password = "Hunter'
    client = ready(
        answers=[{"after": typed, "answer": '2"'}, {"after": f'{BLOT}"\n', "answer": "x = 1"}]
    )
    client.open(URI, typed)
    assert at_end(client, typed) == []
    client.change(URI, 2, (0, len(typed)), (0, len(typed)), '2"\n')
    assert at_end(client, f'{typed}2"\n') != [], "below it is"


@pytest.mark.parametrize("name", [".ssh/config", ".aws/credentials", "ID_RSA", "notes/.env.bak"])
def test_nothing_is_offered_in_a_file_of_secrets_opened_alone(ready, tmp_path, name: str) -> None:
    client = ready(answers=[{"after": "x = ", "answer": "1"}])
    for number, path in enumerate((tmp_path / name, tmp_path / "plain.py")):
        client.open(path.as_uri(), "x = ")
        items = client.items(client.ask(path.as_uri(), 0, 4, kind=1))
        assert bool(items) is bool(number), path


def test_explain_says_why(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "main.py").write_text('x = 1\npassword = "Hunter2\n')
    (tmp_path / "script.json").write_text(json.dumps({"answers": []}))
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(tmp_path / "script.json"))
    command = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted", "explain", "--json"]
    for place, reason in (("2:20", "the cursor stands in a secret"), ("3:1", None)):
        done = subprocess.run(
            [*command, f"{tmp_path / 'main.py'}:{place}"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert json.loads(done.stdout)["reason"] == reason and "Hunter2" not in done.stdout


def test_a_server_elsewhere_never_hears_of_a_secret(start, tmp_path: Path) -> None:
    """Covers prompts, texts sent just to count tokens, and secrets of this file and of another."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "other.py").write_text(f"{TEXT}pass\n\ndef other(password='hunter4'): pass\n" * 3)
    with playing(PlayedModel(bytes_of("x = 1"))) as server:
        client = start(engine="http")
        client.initialize({"httpUrl": server.url, "otherFiles": True}, root=folder.as_uri())
        client.wait_until_ready()
        uri = (folder / "main.py").as_uri()
        client.open(uri, TEXT + "other(connect(\n")
        for line, column in ((6, 14), (5, 0), (2, 0), (1, 15), (3, 20)):
            client.items(client.ask(uri, line, column, kind=1))
        heard = json.dumps([asked.body for asked in server.asked])
        told = [
            "".join(map(chr, filter(lambda number: number < 1000, body["prompt"])))
            for body in server.of("/completion")
            if isinstance(body.get("prompt"), list)
        ]
        assert "connect" in "".join(told) and BLOT in "".join(told)
        for secret in (*SECRETS, "hunter4"):
            assert secret not in heard and not any(secret in text for text in told), secret
