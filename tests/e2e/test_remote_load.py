"""Real model servers under load: each kind in `STARTS`, and one server with many editors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from bench.peers.http_server import HttpServer, free_port
from bench.support.subjects import cpu_seconds
from mistral_lsp.completion import pipeline
from mistral_lsp.completion.request import Workbench
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.types import Completion, Decoding, LoadedModel, Part, Prompt
from tests.support.servers import STARTS, engine_at, llama_server, request, told, url
from tests.support.waiting import PATIENCE_SECONDS, until

EDITORS = (
    *("amber", "birch", "cedar", "daisy", "ember", "fjord", "grape", "hazel"),
    *("ivory", "jelly", "koala", "lemon", "maple", "nylon", "ocean", "pearl"),
)
"""One word for each editor. All names in the editor's document contain that word."""
LINES = 8
TYPED = 3
WINDOW = 384
REQUESTS = 30
KEYS = 40
ROUNDS = 20


@pytest.fixture(scope="module", params=list(STARTS))
def server(request) -> Iterator[HttpServer]:
    started = STARTS[request.param](free_port())
    yield started
    started.stop()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[HttpServer]:
    started = llama_server(free_port(), slots=4, context=4 * 1024)
    yield started
    started.stop()


def counting(number: int) -> Prompt:
    return Prompt("plain", (Part("prefix", f"x{number} = [{number}, {number + 1}, "),), "x.py")


async def test_many_requests_without_an_error(server) -> None:
    async with engine_at(url(server), WINDOW) as engine:
        await engine.ready()
        for number in range(REQUESTS):
            answer = [token.text async for token in engine.generate(counting(number), Decoding(3))]
            assert answer, f"request {number}"
        assert engine.state == "ready"


async def test_the_first_token_comes_before_the_others(server) -> None:
    async with engine_at(url(server), WINDOW) as engine:
        await engine.ready()
        begun = time.perf_counter()
        generation = engine.generate(counting(1), Decoding(48))
        arrivals = [time.perf_counter() - begun async for _ in generation]
        assert len(arrivals) > 10
        assert arrivals[0] < arrivals[-1] / 2


async def work_until_idle(server: HttpServer, since: float) -> float:
    """Waits until the server uses no processor for a second.

    Gives the processor seconds that the server has used by then, minus `since`.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        before = cpu_seconds(server.process)
        await asyncio.sleep(1.0)
        if cpu_seconds(server.process) - before < 0.05:
            return before - since
    raise AssertionError("the server goes on")


async def test_a_cancel_leaves_the_processor_idle(server) -> None:
    async with engine_at(url(server), WINDOW) as engine:
        await engine.ready()
        before = cpu_seconds(server.process)
        assert [token async for token in engine.generate(counting(2), Decoding(256))]
        whole = await work_until_idle(server, before)
        before = cpu_seconds(server.process)
        generation = engine.generate(counting(3), Decoding(256))
        async for _ in generation:
            break
        generation.stop()
        assert await work_until_idle(server, before) < whole / 2, "it did not go on to the end"


@pytest.mark.parametrize("dialect", STARTS)
async def test_a_restart_under_load_is_no_more_than_a_pause(dialect) -> None:
    port = free_port()
    first = STARTS[dialect](port)
    states: list[str] = []
    async with AsyncExitStack() as stack:
        stack.callback(first.stop)
        engine = await stack.enter_async_context(
            engine_at(url(first), WINDOW, on_state=lambda state, _: states.append(state))
        )
        await engine.ready()
        workbench = Workbench(engine)
        answers: list[Completion] = []

        async def type_on() -> None:
            while states[-1] != "ready" or "ready" not in states[:-1]:
                text = f"value_{len(answers)} = len("
                asked = request(text, len(text), max_tokens=8)
                answers.append(await pipeline.complete(asked, workbench))

        typing = asyncio.create_task(type_on())
        await until(lambda: answers)
        first.stop()
        second = await asyncio.to_thread(STARTS[dialect], port)
        stack.callback(second.stop)
        await asyncio.wait_for(typing, 5 * PATIENCE_SECONDS)
    assert "failed" not in states and states.count("ready") == 2, "an editor shows no error"
    failed = [answer.reason for answer in answers if "The server at" in (answer.reason or "")]
    assert len(failed) <= 1, "the one that was being written"
    assert answers[0].usage.generated_tokens and answers[-1].usage.generated_tokens


def document(tag: str, lines: int) -> str:
    return "".join(f"{tag}_{line} = make_{tag}({line})\n" for line in range(lines))


async def type_in(engine: RemoteEngine, tag: str) -> list[Completion]:
    workbench = Workbench(engine)
    done = []
    for line in range(LINES, LINES + TYPED):
        text = f"{document(tag, line)}{tag}_{line} = "
        done.append(await pipeline.complete(request(text, len(text), f"{tag}.py", 8), workbench))
    return done


async def test_many_editors_share_one_server_fairly(shared_server) -> None:
    async with AsyncExitStack() as stack:
        address = url(shared_server)
        engines = [await stack.enter_async_context(engine_at(address, WINDOW)) for _ in EDITORS]
        await asyncio.gather(*(engine.ready() for engine in engines))
        answers = await asyncio.gather(*map(type_in, engines, EDITORS))
    waits, fitting = [], 0
    for tag, done in zip(EDITORS, answers):
        waits.append(sum(answer.total_ms for answer in done) / TYPED)
        for answer in done:
            assert not [other for other in EDITORS if other != tag and other in answer.text]
        fitting += sum(f"make_{tag}(" in answer.text for answer in done)
    # A server's rounding depends on which requests it computes together.
    shown = [(answer.text, answer.reason) for done in answers for answer in done]
    assert fitting > len(EDITORS) * TYPED / 2, shown
    assert max(waits) <= 2 * min(waits)


async def give_up(engine: RemoteEngine, tag: str) -> None:
    """Starts requests one after another; stops each after 0.05 s, before it can be answered."""
    for number in range(KEYS):
        marks = Prompt("plain", (Part("prefix", f"{document(tag, 20)}{tag}_{number} = ["),))
        generation = engine.generate(marks, Decoding(8))
        await asyncio.sleep(0.05)
        generation.stop()


async def test_keys_faster_than_answers_fill_no_queue(shared_server) -> None:
    most = 0.0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, await asyncio.to_thread(told, shared_server, "requests_deferred"))
            await asyncio.sleep(0.05)

    async with AsyncExitStack() as stack:
        address = url(shared_server)
        engines = [await stack.enter_async_context(engine_at(address, WINDOW)) for _ in EDITORS]
        await asyncio.gather(*(engine.ready() for engine in engines))
        watching = asyncio.create_task(watch())
        for _ in range(ROUNDS):  # on a busy machine, few looks at the queue are in time
            await asyncio.gather(*map(give_up, engines, EDITORS))
            if most:
                break
        watching.cancel()
    assert 0 < most <= len(EDITORS), "at most one of each editor waits"


class PrefixFirst(RemoteEngine):
    """Sends prompts with the prefix first, as other clients do."""

    @property
    def model(self) -> LoadedModel | None:
        model = super().model
        return model and replace(model, form="prefix-first")


async def test_the_order_of_prompts_saves_reading(shared_server) -> None:
    cost = {}
    for kind in (RemoteEngine, PrefixFirst):
        async with engine_at(url(shared_server), WINDOW, kind) as engine:
            await engine.ready()
            workbench = Workbench(engine, interactive=False)
            start, behind = document("start", 12), f"\n{document('after', 12)}"
            line = "total = sum([start_1, after_2]) + start_3"
            for column in range(1, len(line)):
                text = f"{start}{line[:column]}"
                workbench.cache.clear()
                await pipeline.complete(request(text + behind, len(text), max_tokens=2), workbench)
                if column == 1:
                    before = told(shared_server, "prompt_tokens_total")
            cost[kind] = told(shared_server, "prompt_tokens_total") - before
    assert cost[RemoteEngine] <= cost[PrefixFirst] / 3
