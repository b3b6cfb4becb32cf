"""The models that an editor offers in a list, and the one that the user chooses of them."""

from __future__ import annotations

import threading

import pytest

from bench.support.lsp_client import Client
from mistral_lsp.models import registry
from tests.contract.contract import PREFIX, SUFFIX
from tests.contract.llama import Router, writing
from tests.support.played_server import Asked, Reply, playing
from tests.support.waiting import PATIENCE_SECONDS, wait_until

URI = "file:///project/main.py"


def router() -> Router:
    """A server whose models write their names."""
    return Router(**{name: writing(name, "\n    ", f"x = {name}") for name in ("one", "two")})


def offered(client: Client) -> dict:
    return client.request("workspace/executeCommand", {"command": "mistralLsp.models"})


def choose(client: Client, **settings: str) -> None:
    """Changes settings. What is told of the state from now on is of the new engine."""
    client.drain()
    client.notifications.clear()
    client.notify("workspace/didChangeConfiguration", {"settings": {"mistralLsp": settings}})


def ghost_text(client: Client) -> str:
    [item] = client.items(client.ask(URI, 1, 4))
    return item["insertText"]


def test_the_model_that_is_chosen_of_a_servers_list_writes_at_once(start) -> None:
    with playing(router()) as played:
        client = start(engine=None)
        client.initialize({"httpUrl": played.url})
        with pytest.raises(RuntimeError, match=r"one, two.*Set mistralLsp\.httpModel"):
            client.wait_until_ready()
        assert offered(client) == {
            "setting": "httpModel",
            "models": [{"name": "one", "used": False}, {"name": "two", "used": False}],
            "problem": "",
        }
        client.open(URI, f"{PREFIX}{SUFFIX}")
        for name in ("two", "one"):
            choose(client, httpModel=name)
            client.wait_until_ready()
            assert ghost_text(client) == f"x = {name}"
            assert [one["name"] for one in offered(client)["models"] if one["used"]] == [name]
        assert client.close() == 0


def test_a_chosen_model_that_is_being_loaded_is_waited_for_with_a_status(start) -> None:
    loaded = threading.Event()

    def slow(asked: Asked) -> Reply:
        if "two" in asked.path or (asked.body or {}).get("model") == "two":
            loaded.wait(PATIENCE_SECONDS)
        return played_router(asked)

    played_router = router()
    with playing(slow) as played:
        client = start(engine=None)
        client.initialize({"httpUrl": played.url, "httpModel": "one"})
        client.wait_until_ready()
        choose(client, httpModel="two")
        while (status := client.wait_for("mistralLsp/status")["params"])["state"] != "loading":
            assert status["state"] != "failed", status
        assert status["message"].endswith("it may be loading two.")
        assert len(offered(client)["models"]) == 2, "the list is there meanwhile"
        client.open(URI, f"{PREFIX}{SUFFIX}")
        loaded.set()
        client.wait_until_ready()
        assert ghost_text(client) == "x = two"
        client.close()


def test_a_server_that_is_gone_is_a_sentence_and_a_name_may_be_given_anyway(start) -> None:
    with playing(router()) as played:
        address, port = played.url, played.port
    client = start(engine=None)
    client.initialize({"httpUrl": address, "httpDialect": "llama-server"})
    found = offered(client)
    assert (found["setting"], found["models"]) == ("httpModel", [])
    assert f"{address} can't be reached" in found["problem"] and "Start it" in found["problem"]
    choose(client, httpModel="two")
    with playing(router(), port):
        wait_until(lambda: client.status()["state"] == "ready")
        client.open(URI, f"{PREFIX}{SUFFIX}")
        assert ghost_text(client) == "x = two"
        client.close()


def test_without_a_server_the_known_models_are_offered(start, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MISTRAL_LSP_MODELS", str(tmp_path))
    here = registry.entries()["codellama-7b"]
    (tmp_path / here.file).write_bytes(b"")
    client = start()
    client.initialize({"httpUrl": "http://localhost:1"})
    for model, used in (("", registry.EMBEDDED), (str(tmp_path / here.file), here.name)):
        choose(client, model=model)
        found = offered(client)
        assert (found["setting"], found["problem"]) == ("model", "")
        assert [one["name"] for one in found["models"] if one["used"]] == [used]
    assert [one["name"] for one in found["models"] if one["here"]] == [registry.EMBEDDED, here.name]
    assert len(found["models"]) == len(registry.entries())
