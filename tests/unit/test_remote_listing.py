"""The list of a server's models, from which the user chooses one."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

import pytest

from mistral_lsp.engine.remote.listing import MOST_MODELS, models_of
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import EngineError
from tests.contract.contract import KEY
from tests.contract.llama import Router
from tests.contract.servers import PLAYED
from tests.support import servers_page
from tests.support.played_server import Asked, Reply, playing
from tests.support.waiting import PATIENCE_SECONDS

AT_ONCE = Pace(retries=())
LISTED = {
    "llama-server": {"some.gguf": True},
    "llama-server as a router": {"ggml-org/Qwen2.5-Coder-3B-Q8_0-GGUF": True, "other": False},
    "llama-swap": {"qwen-coder": True, "other": False},
    "vLLM": {"Qwen/Qwen2.5-Coder-7B": True},
    "Ollama": {"qwen2.5-coder:7b-base": True, "llama3.2:latest": False},
    "Mistral": {"codestral-2508": False, "codestral-latest": True},
    "Together.ai": {"Austism/chronos-hermes-13b": False, "Qwen/Qwen2.5-Coder-32B-Instruct": True},
    "TGI": {"bigcode/starcoder2-7b": True},
    "TGI by OpenAI's interface": {"bigcode/starcoder2-7b": True},
    "TabbyAPI": {"Qwen2.5-Coder-7B-exl3": True},
    "LM Studio": {"qwen2.5-coder-7b": True, "text-embedding-nomic-embed-text-v1.5": False},
    "mlx-lm": {"mlx-community/Qwen2.5-Coder-7B-4bit": True, "mlx-community/other": False},
    "Hugging Face's endpoints": {"bigcode/starcoder2-7b": True},
}
NO_LIST = {
    "Azure": r"lists no models \(404\)\. Set mistralLsp\.httpModel",
    "Amazon Bedrock": r"AWS console\. Set mistralLsp\.httpModel",
}


def test_every_server_of_the_page_is_looked_at() -> None:
    assert {*LISTED, *NO_LIST} == set(servers_page.blocks())


@pytest.mark.parametrize("server", LISTED)
async def test_the_models_and_which_of_them_is_in_use(server) -> None:
    with playing(PLAYED[server]) as played:
        found = await models_of(servers_page.wanted_from(server, played), AT_ONCE)
        assert found == LISTED[server]
        assert all(asked.body is None for asked in played.asked), "no model is loaded for that"


@pytest.mark.parametrize("server", NO_LIST)
async def test_a_server_without_a_list_is_told_with_advice(server) -> None:
    with playing(PLAYED[server]) as played, pytest.raises(EngineError, match=NO_LIST[server]):
        await models_of(servers_page.wanted_from(server, played), AT_ONCE)


def tags(*names: str):
    return lambda asked: Reply.of({"models": [{"name": name} for name in names]})


@pytest.mark.parametrize(
    ("model", "listed", "used"),
    [
        ("qwen2.5-coder", ("qwen2.5-coder:latest", "other:1b"), "qwen2.5-coder:latest"),
        ("", ("one:1b",), "one:1b"),
        ("", ("one:1b", "two:1b"), None),
        ("gone", ("one:1b",), None),
    ],
)
async def test_in_use_is_what_the_settings_mean(model, listed, used) -> None:
    with playing(tags(*listed)) as played:
        found = await models_of(Wanted((played.url,), "ollama", model, 0), AT_ONCE)
    assert found == {name: name == used for name in listed}


async def test_mistrals_usual_model_is_in_use_without_a_name() -> None:
    with playing(PLAYED["Mistral"]) as played:
        found = await models_of(Wanted((played.url,), "mistral", "", 0), AT_ONCE)
    assert found["codestral-latest"] and not found["codestral-2508"]


async def test_the_dialect_is_asked_for_as_usual() -> None:
    with playing(Router("one", "two")) as played:
        found = await models_of(Wanted((played.url,), "auto", "two", 0), AT_ONCE)
    assert found == {"one": False, "two": True}


def wanted(*urls: str, dialect: str = "openai") -> Wanted:
    return Wanted(urls, dialect, "", 0)


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("dialect", ["auto", "openai", "ollama", "llama-server"])
async def test_a_server_that_is_not_there_is_told_with_advice(dialect) -> None:
    address = free_address()
    with pytest.raises(EngineError, match=rf"{address} can't be reached.*Start it, or check"):
        await models_of(wanted(address, dialect=dialect), AT_ONCE)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply.of({"error": "no"}, 401), "wants a key"),
        (Reply.of({"error": "Loading model"}, 503), "still loads its model"),
        (Reply.of({"data": []}), "has no model to choose. Add one there"),
        (Reply.of({"data": "none"}), "httpDialect"),
        (Reply(("<html>",)), "httpDialect"),
        (Reply.of({"error": "no such path"}, 405), "lists no models"),
    ],
)
async def test_what_is_no_list_is_a_sentence(reply, says) -> None:
    with playing(lambda asked: reply) as played, pytest.raises(EngineError, match=says):
        await models_of(wanted(played.url), AT_ONCE)


async def test_an_address_that_is_none_is_a_sentence() -> None:
    with pytest.raises(EngineError, match="is no address of a server"):
        await models_of(wanted("ftp://localhost"), AT_ONCE)


async def test_a_silent_server_is_not_waited_for_longer_than_a_user_would() -> None:
    free = threading.Event()

    def silent(asked: Asked) -> Reply:
        free.wait(PATIENCE_SECONDS)
        return Reply.of({}, 404)

    with playing(silent) as played:
        with pytest.raises(EngineError, match="takes too long to answer"):
            await models_of(wanted(played.url), Pace(listing=0.2, retries=()))
        free.set()


async def test_of_several_servers_the_first_with_a_list_is_taken() -> None:
    dead = free_address()
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(
                playing(lambda asked, name=name: Reply.of({"data": [{"id": name}]}))
            )
            for name in ("one", "two")
        )
        assert await models_of(wanted(dead, one.url, two.url), AT_ONCE) == {"one": True}
    with pytest.raises(EngineError, match=rf"{one.url} can't .*{two.url} can't "):
        await models_of(wanted(one.url, two.url), AT_ONCE)


async def test_only_names_that_can_be_shown_as_they_are_can_be_chosen(monkeypatch) -> None:
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", KEY)
    hostile = ["\x1b[2Jred", "two\nlines", "to\u202eright", "", "x" * 10_000, f"{KEY}:7b"]
    with playing(lambda asked: Reply.of({"data": [{"id": name} for name in names]})) as played:
        names = [*hostile, "good", "good", "größe 7B"]
        assert list(await models_of(wanted(played.url), AT_ONCE)) == ["good", "größe 7B"]
        names = [f"model-{number}" for number in range(3 * MOST_MODELS)]
        assert len(await models_of(wanted(played.url), AT_ONCE)) == MOST_MODELS
