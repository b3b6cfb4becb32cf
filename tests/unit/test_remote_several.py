"""Several servers as one engine: which is asked for a document, and what happens when one goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.played_server import Asked, PlayedServer, Reply, playing
from tests.support.waiting import until

PATH = "/v1/completions"
DOCUMENTS = [f"src/file_{number}.py" for number in range(40)]


@dataclass
class Played:
    """Answers as an OpenAI server; one that `fails` still tells which model it has."""

    said: str
    model: str = "codellama-code"
    window: int = 2048
    fails: int = 0

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/v1/models":
            return Reply.of({"data": [{"id": self.model, "max_model_len": self.window}]})
        if asked.path != PATH:
            return Reply.of({}, 404)
        if self.fails:  # also a probe: it must not come back while a test looks at it
            return Reply.of({"error": "no memory"}, self.fails)
        if not asked.body["stream"]:
            return Reply.of({"choices": [{"text": "", "finish_reason": "stop"}]})
        choice = {"choices": [{"text": self.said, "finish_reason": "stop"}]}
        return Reply((f"data: {json.dumps(choice)}\n\n",))


@pytest.fixture
def servers() -> Iterator[list[PlayedServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(playing(Played(name))) for name in "abc"]


@asynccontextmanager
async def engine_of(servers: list[PlayedServer], dialect: str = "openai", pace: Pace = Pace()):
    wanted = Wanted(tuple(server.url for server in servers), dialect, "", 0)
    engine = RemoteEngine(wanted, pace=pace)
    engine.start()
    try:
        await engine.ready()
        yield engine
    finally:
        await engine.close()


async def until_all_are_ready(engine: RemoteEngine) -> None:
    await until(lambda: engine.message == "codellama-code on openai.")


async def who_answers(engine: RemoteEngine, document: str) -> str:
    prompt = Prompt("suffix-first-alone", (Part("prefix", "x ="),), document)
    return "".join([token.text async for token in engine.generate(prompt, Decoding(8))])


async def test_a_document_stays_with_its_server(servers) -> None:
    async with engine_of(servers) as engine:
        await until_all_are_ready(engine)
        first = [await who_answers(engine, document) for document in DOCUMENTS]
        assert [await who_answers(engine, document) for document in DOCUMENTS] == first
        # Ports are drawn anew in each run: a smaller share than this comes once in 200,000 runs.
        assert min(first.count(name) for name in "abc") > 1, "each has its share"
    async with engine_of(servers[::-1]) as engine:
        await until_all_are_ready(engine)
        again = [await who_answers(engine, document) for document in DOCUMENTS]
        assert again == first, "in another editor, too"


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_only_the_documents_of_a_server_that_fails_move(servers, status) -> None:
    async with engine_of(servers, pace=Pace(retries=(0.0,))) as engine:
        await until_all_are_ready(engine)
        before = [await who_answers(engine, document) for document in DOCUMENTS]
        servers[1].answer = replace(servers[1].answer, fails=status)
        during = [await who_answers(engine, document) for document in DOCUMENTS]
        assert "b" not in during
        kept = [name for name, now in zip(before, during) if name == now]
        assert kept == [name for name in before if name != "b"]
        assert engine.state == "ready"
        assert servers[1].url in engine.message and str(status) in engine.message
        servers[1].answer = Played("b")
        await until_all_are_ready(engine)
        assert [await who_answers(engine, document) for document in DOCUMENTS] == before


async def test_one_that_was_never_there_is_said(servers) -> None:
    with playing(Played("d")) as gone:
        pass
    async with engine_of([gone, *servers]) as engine:
        assert await who_answers(engine, "main.py") in "abc"
        await until(lambda: "can't be reached" in engine.message)
        assert engine.state == "ready" and gone.url in engine.message


async def test_all_gone_is_a_failure_that_names_all(servers) -> None:
    async with engine_of(servers[:2], pace=Pace(grace=0.0)) as engine:
        await until_all_are_ready(engine)
        for server in servers[:2]:
            server.answer = replace(server.answer, fails=500)
        with pytest.raises(EngineError, match="500"):
            await who_answers(engine, "main.py")
        assert engine.state == "failed"
        assert all(server.url in engine.message for server in servers[:2])


async def test_one_with_another_model_is_left_out(servers) -> None:
    servers[2].answer = Played("c", model="other")
    async with engine_of(servers) as engine:
        await until(lambda: "left out" in engine.message)
        assert f"{servers[2].url} is left out: it has other" in engine.message
        await until(lambda: "being asked" not in engine.message)
        assert {await who_answers(engine, document) for document in DOCUMENTS} == {"a", "b"}


async def test_the_window_is_the_smallest(servers) -> None:
    servers[1].answer = Played("b", window=512)
    async with engine_of(servers) as engine:
        await until_all_are_ready(engine)
        assert engine.model.window == engine.model.working_window == 512


async def test_nothing_is_sent_to_another_once_an_answer_has_begun(servers) -> None:
    def dying(asked: Asked) -> Reply:
        reply = Played("x")(asked)
        if asked.path == PATH and asked.body["stream"]:
            begun = {"choices": [{"text": "x", "finish_reason": None}]}
            return Reply((f"data: {json.dumps(begun)}\n\n",), cut=True)
        return reply

    for server in servers:
        server.answer = dying
    async with engine_of(servers) as engine:
        await until_all_are_ready(engine)
        with pytest.raises(EngineError, match="broke off"):
            await who_answers(engine, "main.py")
        streamed = [body for server in servers for body in server.of(PATH) if body["stream"]]
        assert len(streamed) == 1
