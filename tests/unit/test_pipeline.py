"""The flow of requests: newest wins, deadlines, growth, faults. The engine is played."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import msgspec
import pytest

from mistral_lsp import languages, pipeline
from mistral_lsp.config import Settings
from mistral_lsp.document import Document
from mistral_lsp.engine.base import EngineError
from mistral_lsp.pipeline import Request, Stages
from mistral_lsp.types import Completion
from tests.support.engine import PlayedEngine


def request(text: str, trigger="automatic", **settings) -> Request:
    document = Document("file:///a.py", "a.py", languages.find("python"), 1, text)
    given = msgspec.structs.replace(Settings(), **settings)
    return Request(document.snapshot(), len(text), trigger, given)


async def test_the_newest_request_wins() -> None:
    engine = PlayedEngine("1 + 2\n", pause=0.01)
    stages = Stages(engine)
    asked = [request(f"x{number} = ") for number in range(20)]
    tasks = []
    for one in asked:
        tasks.append(asyncio.create_task(pipeline.complete(one, stages)))
        await asyncio.sleep(0.002)
    done = await asyncio.gather(*tasks)
    assert [bool(one.text) for one in done] == [False] * 19 + [True]
    assert {one.reason for one in done[:-1]} == {pipeline.SUPERSEDED}
    assert all(generation.stopped for generation in engine.generations)


async def test_a_cancelled_request_stops_the_engine() -> None:
    engine = PlayedEngine("1 + 2\n", pause=0.05)
    task = asyncio.create_task(pipeline.complete(request("x = "), Stages(engine)))
    await asyncio.sleep(0.08)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.generations[0].stopped


async def test_out_of_time_means_what_there_is() -> None:
    engine = PlayedEngine("one_two_three", pause=0.03)
    done = await pipeline.complete(request("x = ", deadline_ms=110), Stages(engine))
    assert done.text and "one_two_three".startswith(done.text) and len(done.text) < 8
    assert engine.generations[0].stopped
    nothing = await pipeline.complete(
        request("y = ", deadline_ms=60), Stages(PlayedEngine("a", pause=1.0))
    )
    assert nothing.text == "" and nothing.reason is not None and "deadline" in nothing.reason


async def test_what_is_cut_off_by_the_deadline_is_not_remembered() -> None:
    stages = Stages(PlayedEngine("one_two_three", pause=0.03))
    await pipeline.complete(request("x = ", deadline_ms=110), stages)
    again = await pipeline.complete(request("x = "), stages)
    assert not again.cached and again.text == "one_two_three"


async def test_shown_text_only_grows() -> None:
    seen: list[Completion] = []
    engine = PlayedEngine("if a:\n        b = 1\n        c = 2\n    d = 3\n")
    done = await pipeline.complete(request("def f(a):\n    "), Stages(engine), seen.append)
    texts = [one.text for one in seen] + [done.text]
    assert len(texts) > 5
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert done.text == "if a:\n        b = 1\n        c = 2"


async def test_debounce_waits_only_for_automatic_requests() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    stages = Stages(PlayedEngine("1\n"), scheduler=pipeline.Scheduler(sleep))
    await pipeline.complete(request("x = ", debounce_ms=150), stages)
    assert waits == [0.15]
    await pipeline.complete(request("y = ", "invoked", debounce_ms=150), stages)
    assert waits == [0.15]


async def test_an_engine_that_fails_gives_its_reason() -> None:
    class Broken(PlayedEngine):
        async def ready(self):
            raise EngineError("The model is broken. Take another.")

    done = await pipeline.complete(request("x = "), Stages(Broken("")))
    assert (done.text, done.reason) == ("", "The model is broken. Take another.")


async def test_doubtful_answers_are_dropped() -> None:
    stages = Stages(PlayedEngine("1\n", probability=0.4))
    sure = await pipeline.complete(request("x = ", min_confidence=0.3), stages)
    doubtful = await pipeline.complete(request("x = ", min_confidence=0.5), stages)
    assert sure.text == "1"
    assert doubtful.text == "" and "0.40" in (doubtful.reason or "")


async def test_typing_through_asks_the_engine_once() -> None:
    engine = PlayedEngine("compute(a, b)\n")
    stages = Stages(engine)
    for typed in range(13):
        done = await pipeline.complete(request("x = " + "compute(a, b)"[:typed]), stages)
        assert done.text == "compute(a, b)"[typed:]
        assert done.cached == (typed > 0)
        await asyncio.sleep(0.001)
    assert engine.asked == [128] + [0] * 12, "afterwards it only reads what was typed"
    assert [part.label for part in engine.prompts[-1].parts][-1] == "prefix"


async def test_a_request_does_not_wait_for_reading_in_the_background() -> None:
    engine = PlayedEngine("abc\n")
    stages = Stages(engine)
    await pipeline.complete(request("x = "), stages)
    await pipeline.complete(request("x = a"), stages)
    engine.text = "def\n"
    done = await pipeline.complete(request("y = "), stages)
    assert done.text == "def" and not done.cached
