"""Requests by hand get more than automatic ones: doubtful answers, a search, alternatives."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mistral_lsp.completion import pipeline
from mistral_lsp.completion.request import Workbench
from tests.support.engine import PlayedEngine
from tests.support.requests import request

pytestmark = pytest.mark.jumping_clock


async def test_who_asks_by_hand_gets_doubtful_answers() -> None:
    workbench = Workbench(PlayedEngine("1\n", probability=0.4))
    asked = request("x = ", min_confidence=0.5)
    done = await pipeline.complete(replace(asked, trigger="invoked"), workbench)
    assert done.text == "1"


async def test_the_likeliest_line_is_looked_for_by_hand_only() -> None:
    engine = PlayedEngine("1\n")
    asked = request("x = ")
    for trigger, line in (("automatic", None), ("popup", None), ("invoked", 1)):
        await pipeline.complete(
            replace(asked, trigger=trigger), Workbench(engine, interactive=False)
        )
        assert engine.searched[-1] == line, trigger


async def test_who_asks_again_gets_other_answers_too() -> None:
    engine = PlayedEngine("")
    engine.search_finds("first()\n", "second()\n", "third()\n")
    workbench = Workbench(engine)
    assert (await pipeline.complete(request("x = ", "invoked"), workbench)).others == ()
    again = await pipeline.complete(request("x = ", "invoked"), workbench)
    assert [again.text, *(other.text for other in again.others)] == [
        "first()",
        "second()",
        "third()",
    ]
    assert engine.searched[-3:] == [1, 2, 3]
    automatic = await pipeline.complete(request("x = "), workbench)
    assert automatic.cached and automatic.text == "first()" and automatic.others == ()


async def test_others_come_also_while_the_answer_that_is_seen_is_still_written() -> None:
    engine = PlayedEngine("", pause=0.01)
    engine.search_finds("first()\n", "second()\n", "third()\n")
    workbench = Workbench(engine, interactive=False)
    seen, grown = asyncio.Event(), []
    automatic = asyncio.create_task(
        pipeline.complete(request("x = "), workbench, lambda _: seen.set())
    )
    await seen.wait()
    again = await pipeline.complete(request("x = ", "invoked"), workbench, grown.append)
    assert [again.text, *(other.text for other in again.others)] == [
        "first()",
        "second()",
        "third()",
    ]
    assert (await automatic).others == () and grown[-1].text == "first()"


async def test_nothing_is_looked_for_beside_an_answer_that_nobody_saw() -> None:
    engine = PlayedEngine("", pause=0.01)
    engine.search_finds("first()\n", "second()\n", "third()\n")
    workbench = Workbench(engine, interactive=False)
    automatic, invoked = await asyncio.gather(
        pipeline.complete(request("x = "), workbench),
        pipeline.complete(request("x = ", "invoked"), workbench),
    )
    assert len(engine.prompts) == 1, "the stream was joined"
    assert automatic.text == invoked.text == "first()" and invoked.others == ()


async def test_who_asks_by_hand_gets_the_next_best_in_place_of_a_bad_answer() -> None:
    engine = PlayedEngine("")
    engine.search_finds("", "", "1\n")
    workbench = Workbench(engine)
    asked = request("x = ", "invoked")
    done = await pipeline.complete(asked, workbench)
    assert (done.text, done.reason) == ("1", None)
    typed = await pipeline.complete(replace(asked, trigger="automatic"), workbench)
    assert typed.cached and typed.text == "1"


async def test_a_bad_answer_is_not_replaced_unasked() -> None:
    engine = PlayedEngine("")
    engine.search_finds("", "1\n", "2\n")
    assert (
        await pipeline.complete(request("x = "), Workbench(engine, interactive=False))
    ).text == ""
    assert engine.searched == [None]


async def test_what_is_next_best_is_not_waited_for_beyond_the_deadline() -> None:
    engine = PlayedEngine("", pause=0.1)
    engine.search_finds(" " * 100, "1\n", "2\n")
    done = await pipeline.complete(request("x = ", "invoked", deadline_ms=50), Workbench(engine))
    assert done.text == "" and done.reason
    assert engine.searched == [1]


async def test_a_newer_request_ends_the_search_for_others() -> None:
    engine = PlayedEngine("")
    engine.search_finds(*["first()\n"] * 4)
    workbench = Workbench(engine)
    await pipeline.complete(request("x = ", "invoked"), workbench)
    engine.pause = 0.01
    asked = asyncio.create_task(pipeline.complete(request("x = ", "invoked"), workbench))
    await asyncio.sleep(0.02)
    newer = await pipeline.complete(request("y = "), workbench)
    assert newer.text == "first()"
    assert (await asked).others == () and engine.searched[-1] is None
