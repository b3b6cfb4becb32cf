"""Several models behind one address: the one that is wanted is loaded, and waited for.

Sources: those of tests/contract/llama.py; docs/api.md in github.com/ollama/ollama.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import sys
import threading
from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_in

from mistral_lsp.engine.remote import member
from mistral_lsp.engine.remote.dialects.find import find as find_dialect
from mistral_lsp.engine.remote.dialects.llama_server import LlamaServer
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.failures import ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import Decoding, EngineError
from tests.contract import openai
from tests.contract.contract import NOT_FOUND, Contract, prompt
from tests.contract.llama import SAID, Router, Swap
from tests.contract.others import OLLAMA
from tests.support.played_server import Asked, PlayedServer, Reply, playing
from tests.support.servers import running
from tests.support.servers_page import settings_of, wanted_from
from tests.support.waiting import PATIENCE_SECONDS, until

AT_ONCE = Pace(retries=())


async def answer_of(engine: RemoteEngine) -> str:
    model = await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
    answer = engine.generate(prompt(model.form), Decoding(8))
    return "".join([token.text async for token in answer])


async def test_llama_server() -> None:
    with playing(SAID) as played:
        async with running(wanted_from("llama-server", played), AT_ONCE) as engine:
            assert await answer_of(engine) == "s += x"


async def test_a_router_is_told_the_model_in_every_request() -> None:
    model = settings_of("llama-server as a router").http_model
    with playing(Router(model, "other")) as played:
        async with running(wanted_from("llama-server as a router", played), AT_ONCE) as engine:
            assert await answer_of(engine) == "s += x"
        posted = [asked for asked in played.asked if asked.body]
    assert {asked.path for asked in posted} == {"/tokenize", "/completion"}
    assert all(asked.data.startswith(f'{{"model":"{model}",'.encode()) for asked in posted)


async def test_a_routers_only_model_needs_no_name_and_one_of_several_does() -> None:
    with playing(Router("only")) as played:
        async with running(Wanted((played.url,), "auto", "", 0), AT_ONCE) as engine:
            assert await answer_of(engine) == "s += x"
    with playing(Router("one", "two")) as played:
        async with running(Wanted((played.url,), "auto", "", 0), AT_ONCE) as engine:
            with pytest.raises(EngineError, match=r"one, two.*httpModel"):
                await engine.ready()


async def test_llama_swap_leads_to_the_server_of_a_model() -> None:
    model = settings_of("llama-swap").http_model
    with playing(Swap(model, "other")) as played:
        async with running(wanted_from("llama-swap", played), AT_ONCE) as engine:
            assert await answer_of(engine) == "s += x"
        below = [path for path in paths(played) if path != "/props"]
    assert below and all(path.startswith(f"/upstream/{model}/") for path in below)


@pytest.mark.parametrize("address", ["", "/upstream/only"])
async def test_llama_swaps_only_model_needs_no_name_nor_one_in_the_address(address) -> None:
    with playing(Swap("only")) as played:
        wanted = Wanted((played.url + address,), "llama-server", "", 0)
        async with running(wanted, AT_ONCE) as engine:
            assert await answer_of(engine) == "s += x"


async def test_a_llama_server_in_place_of_llama_swap_is_found() -> None:
    with playing(Swap("one")) as played:
        server = HttpClient(played.url)
        wanted = Wanted((played.url,), "llama-server", "one", 0)
        await LlamaServer(server, wanted).open()
        played.answer = lambda asked: NOT_FOUND if "/upstream" in asked.path else SAID(asked)
        await LlamaServer(server, wanted).open()
        await server.close()


async def test_another_server_than_these_is_told_to_be_none() -> None:
    with playing(openai.VLLM) as played:
        async with running(Wanted((played.url,), "llama-server", "m", 0), AT_ONCE) as engine:
            with pytest.raises(EngineError, match=r"does not know /props.*httpDialect"):
                await engine.ready()


def swap(asked: Asked) -> Reply:
    """llama-swap by its own address."""
    if asked.path == "/api/version":
        return Reply.of({"version": "200", "commit": "abc", "build_date": "unknown"})
    return openai.VLLM(asked)


@pytest.mark.parametrize("server", [swap, openai.TABBY], ids=["llama-swap", "TabbyAPI"])
async def test_who_answers_at_paths_of_others_is_known_for_what_it_is(server) -> None:
    with playing(server) as played:
        async with running(Wanted((played.url,), "auto", "", 0), AT_ONCE) as engine:
            assert (await engine.ready()).engine == "openai"


class Slow:
    """A server that waits for `loaded` before it answers, or in the middle of its answer."""

    def __init__(self, contract: Contract, before: str):
        self.contract = contract
        self.before = before
        self.loaded = threading.Event()

    def __call__(self, asked: Asked) -> Reply:
        answer = self.contract(asked)
        if self.before == "the body" and not self.loaded.is_set():
            return replace(answer, pieces=self._late(answer.pieces))
        if self.before == "any answer" or asked.body is not None:
            self.loaded.wait(PATIENCE_SECONDS)
        return answer

    def _late(self, pieces):
        yield " "
        self.loaded.wait(PATIENCE_SECONDS)
        yield from pieces


@pytest.mark.parametrize("before", ["any answer", "the answer", "the body"])
@pytest.mark.parametrize(
    ("server", "contract"), [("Ollama", OLLAMA), ("LM Studio", openai.LM_STUDIO)]
)
async def test_a_model_that_is_being_loaded_is_waited_for_with_a_status(
    server, contract, before
) -> None:
    slow = Slow(contract, before)
    pace = Pace(silence=0.2, head=0.2, answer=0.2, patience=0.3, retries=())
    with playing(slow) as played:
        wanted = wanted_from(server, played)
        if before == "any answer":
            wanted = replace_in(wanted, dialect="auto")
        async with running(wanted, pace) as engine:
            await until(lambda: engine.state == "loading")
            name = settings_of(server).http_model
            assert engine.message.endswith(f"it may be loading {name}.")
            slow.loaded.set()
            assert await answer_of(engine) == "s += x"
        assert [state for state, _ in engine.states][:3] == ["starting", "loading", "ready"]


async def test_all_of_the_loading_has_one_limit() -> None:
    slow = Slow(openai.LM_STUDIO, "the answer")
    with playing(slow) as played:
        wanted = wanted_from("LM Studio", played)
        async with running(wanted, Pace(load=0.5, retries=())) as engine:
            with pytest.raises(EngineError, match="takes too long"):
                await engine.ready()
            assert len(played.of("/v1/completions")) == 1, "it is not asked in another way, too"
            slow.loaded.set()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, a full queue refuses")
async def test_a_host_that_cannot_be_reached_is_not_loading(monkeypatch) -> None:
    tries = 0

    async def find(*given):
        nonlocal tries
        tries += 1
        return await find_dialect(*given)

    monkeypatch.setattr(member, "find", find)
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # the connections that the system accepts by itself
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        wanted = Wanted((f"http://127.0.0.1:{full.getsockname()[1]}",), "openai", "m", 0)
        async with running(wanted, Pace(connect=0.3, patience=0.1, retries=())) as engine:
            await until(lambda: tries == 3)
            assert [state for state, _ in engine.states] == ["starting", "failed"]
            assert "can't be reached" in engine.message


async def test_a_server_that_is_not_available_yet_is_waited_for() -> None:
    loading = Reply.of({"error": {"code": 503, "message": "Loading model"}}, 503)
    with playing(lambda asked: loading) as played:
        async with running(wanted_from("llama-server", played), AT_ONCE) as engine:
            await until(lambda: engine.state == "loading")
            assert "still loads its model (503: Loading model)" in engine.message
            played.answer = SAID
            assert await answer_of(engine) == "s += x"
        assert "failed" not in [state for state, _ in engine.states]


async def test_but_not_for_ever() -> None:
    hours = itertools.count(0, 3600).__next__
    with playing(lambda asked: Reply.of({}, 503)) as played:
        async with running(wanted_from("llama-server", played), AT_ONCE, hours) as engine:
            with pytest.raises(EngineError, match="503"):
                await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)


class Unloading:
    """An Ollama that may have unloaded its model."""

    def __init__(self) -> None:
        self.loaded = ["qwen2.5-coder:7b-base"]

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/api/ps":
            return Reply.of({"models": [{"name": name} for name in self.loaded]})
        return OLLAMA(asked)


async def test_a_model_that_ollama_has_unloaded_is_opened_anew() -> None:
    ollama, time = Unloading(), [0.0]
    with playing(ollama) as played:
        async with running(wanted_from("Ollama", played), AT_ONCE, lambda: time[0]) as engine:
            assert await answer_of(engine) == "s += x"
            assert "/api/ps" not in paths(played), "it was heard just now"
            time[0] += 61
            assert await answer_of(engine) == "s += x"
            ollama.loaded.clear()
            time[0] += 61
            before = len(played.of("/api/generate"))
            with pytest.raises(ServerError, match=r"has unloaded qwen.*loaded again"):
                await answer_of(engine)
            assert await answer_of(engine) == "s += x"
            assert played.of("/api/generate")[before]["options"]["num_predict"] == 1, (
                "a probe first"
            )


@pytest.mark.parametrize(
    "name", ["Qwen2.5-Coder:7B-base", "library/{}", "registry.ollama.ai/library/{}"]
)
async def test_a_loaded_model_is_known_by_each_of_its_names(name) -> None:
    ollama, time = Unloading(), [0.0]
    with playing(ollama) as played:
        wanted = replace_in(wanted_from("Ollama", played), model=name.format(*ollama.loaded))
        async with running(wanted, AT_ONCE, lambda: time[0]) as engine:
            await answer_of(engine)
            time[0] += 61
            assert await answer_of(engine) == "s += x"
            assert "/api/ps" in paths(played)


def paths(played: PlayedServer) -> list[str]:
    return [asked.path for asked in played.asked]


async def test_a_suffix_that_is_ignored_is_written_into_the_prompt() -> None:
    def ignores(asked: Asked) -> Reply:
        if asked.path == "/v1/models":
            return Reply.of({"data": [{"id": "Mistral-7B-v0.1"}]})
        if asked.body is None:
            return Reply.of({}, 404)
        if asked.body["stream"]:
            return openai.VLLM.stream
        tokens = len(asked.body["prompt"])
        choice = {"text": "x", "finish_reason": "length"}
        return Reply.of({"choices": [choice], "usage": {"prompt_tokens": tokens}})

    with playing(ignores) as played:
        async with running(Wanted((played.url,), "openai", "", 0), AT_ONCE) as engine:
            assert (await engine.ready()).form == "plain"
        assert "suffix" not in json.dumps(played.of("/v1/completions")[-1])
