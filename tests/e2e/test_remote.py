"""Tests the engine `http` with its main target, llama.cpp's own server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.peers.http_server import HttpServer, free_port
from mistral_lsp.completion import explain, pipeline
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local.client import EngineClient
from mistral_lsp.engine.remote.dialects.llama_tokens import Tokens
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.inference.backends.llama_cpp import LlamaCpp
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models import gguf, store
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.servers import (
    PATIENT,
    engine_at,
    llama_server,
    request,
    told,
    until_idle,
    url,
    works,
)
from tests.support.waiting import until, wait_until

SAMPLE = Path(__file__).parents[1] / "fixtures" / "sample.py"
WINDOW = 384
PLACES = (
    "\nfrom c",
    "\n    def offset(self, line: int, colu",
    "\n    def _inside(sel",
)
"""Beginnings of lines in the sample. The model is sure how each of these lines goes on.

If it were in doubt, two builds of a library might answer differently, since they round differently.
"""
IN_THE_MIDDLE_SECONDS = 0.3


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    started = llama_server(free_port())
    yield started
    started.stop()


@pytest.fixture
def servers() -> Iterator[Callable[[int], HttpServer]]:
    """Gives a function that starts a server at a port; stops all servers at the end."""
    started: list[HttpServer] = []

    def start(port: int) -> HttpServer:
        started.append(llama_server(port))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def places() -> Iterator[Request]:
    text = SAMPLE.read_text("utf-8")
    for beginning in PLACES:
        start = text.index(beginning) + len(beginning)
        # What stood behind the cursor is left out, so that there is something to write.
        yield request(text[:start] + text[text.index("\n", start) :], start)


async def first_lines(engine) -> list[str]:
    workbench = Workbench(engine, interactive=False)
    done = [await pipeline.complete(place, workbench) for place in places()]
    return [completion.text.split("\n")[0] for completion in done]


async def test_the_same_first_lines_as_on_this_machine(server) -> None:
    local = EngineClient(Load("llama_cpp", "", WINDOW, 1, 0))
    local.start()
    expected = await first_lines(local)
    await local.close()
    async with engine_at(url(server), window=WINDOW) as engine:
        model = await engine.ready()
        assert (model.engine, model.form) == ("llama-server", "suffix-first")
        assert model.window == WINDOW
        assert await first_lines(engine) == expected
    assert all(expected)


STRANGE = (
    "🦀",
    "  x  =\t1\r\n\r\n   ",
    "<|fim_middle|><s></s>",
    "a\u2028b\x0cc",
    "\x01\x02",
    "",
    " ",
    "\n",
)


async def test_tokens_are_those_of_the_engines_here(server) -> None:
    backend = LlamaCpp(store.locate(""), 64, 1, 0)
    header = gguf.read_header(store.locate(""))
    here = Tokenizer(backend, header.specials)
    link = HttpClient(url(server))
    there = Tokens(link)
    await there.learn()
    marks = {name: header.specials[name] for name in there.specials}
    assert there.specials == marks and {"bos", "fim_prefix", "file_sep"} <= set(marks)
    assert await there.count(STRANGE) == [len(here.text(text)) for text in STRANGE]
    for prefix in (
        SAMPLE.read_text("utf-8")[:2000],
        "x = wor",
        "a.b(",
        "é",
        "    return  ",
        "🦀 日本",
    ):
        parts = [Part("mark", special="bos"), Part("suffix", STRANGE[2]), Part("prefix", prefix)]
        ids, owed = await there.prompt(Prompt("plain", tuple(parts)))
        found = here.prompt(Prompt("plain", tuple(parts)))
        assert (ids, owed.encode()) == (found.ids, found.owed)
        assert not set(ids[1:]) & header.controls, "text never becomes a mark"
    await link.close()


async def test_it_streams_and_typing_costs_little(server) -> None:
    async with engine_at(url(server), window=WINDOW) as engine:
        workbench = Workbench(engine)
        grown: list[float] = []
        place = next(iter(places()))
        begun = time.perf_counter()
        done = await pipeline.complete(
            place, workbench, lambda _: grown.append(time.perf_counter())
        )
        ended = time.perf_counter()
        assert done.text and done.usage.generated_tokens > 1 and done.confidence
        assert grown and begun < grown[0] < ended
        text, offset = place.snapshot.text, place.offset
        typed = request(f"{text[:offset]}zq{text[offset:]}", offset + 2)
        again = await pipeline.complete(typed, workbench)
        assert 0 < again.usage.evaluated_tokens <= 8 < again.usage.prompt_tokens
        told = await explain.explain(typed, workbench)
        assert told["parts"][0]["label"] == "bos" and told["parts"][0]["tokens"] == 1
        assert told["tokens"] == again.usage.prompt_tokens


@pytest.mark.parametrize("reading", [True, False])
async def test_a_cancel_stops_the_server(server, reading) -> None:
    async with engine_at(url(server), window=4096) as engine:
        await engine.ready()
        text = f"# {reading}\n" + 2 * SAMPLE.read_text("utf-8")
        parts = (Part("mark", special="bos"), Part("suffix", text[:9_000] if reading else "x\n"))
        prompt = Prompt("plain", parts)
        whole = sum(await engine.weigh(prompt)) if reading else 1000
        counter = "prompt_tokens_total" if reading else "tokens_predicted_total"
        before = await asyncio.to_thread(told, server, counter)
        generation = engine.generate(prompt, Decoding(1000))
        if reading:
            await asyncio.sleep(IN_THE_MIDDLE_SECONDS)
        else:
            async for _ in generation:
                break
        assert await asyncio.to_thread(works, server)
        generation.stop()
        await until_idle(server)
        done = await asyncio.to_thread(told, server, counter) - before
        assert done < whole / 2, "it did not go on to the end"
        assert bool(generation.usage.generated_tokens) != reading


async def test_a_server_that_dies_is_found_again(servers) -> None:
    port = free_port()
    first = servers(port)
    soon_given_up = replace(PATIENT, grace=Pace().grace)
    async with engine_at(url(first), window=WINDOW, pace=soon_given_up) as engine:
        await engine.ready()
        generation = engine.generate(Prompt("plain", (Part("suffix", "x = 1\n"),)), Decoding(300))
        async for _ in generation:
            break
        first.stop()
        with pytest.raises(EngineError, match="broke off"):
            async for _ in generation:
                pass
        assert engine.state == "starting", "it may come again at once"
        await until(lambda: engine.state == "failed")
        done = await pipeline.complete(next(iter(places())), Workbench(engine))
        assert done.text == "" and "can't be reached" in (done.reason or "")
        await asyncio.to_thread(servers, port)
        await until(lambda: engine.state == "ready")
        assert all(await first_lines(engine))


def test_an_editor_is_told(start, server) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    client = start(engine="http")
    client.initialize({"httpUrl": nobody})
    failed = client.wait_for("window/showMessage")["params"]["message"]
    assert nobody in failed and "can't be reached" in failed
    assert client.status()["state"] == "failed"
    client.notify(
        "workspace/didChangeConfiguration",
        {"settings": {"mistralLsp": {"httpUrl": url(server), "window": WINDOW}}},
    )
    wait_until(lambda: client.status()["state"] == "ready")
    assert client.status()["engine"] == "llama-server"
    client.open("file:///main.py", "def add(a, b):\n    return \n")
    [item] = client.items(client.ask("file:///main.py", 1, 11, kind=1))
    assert item["insertText"].startswith("a")
