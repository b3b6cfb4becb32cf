"""The pipeline with a simulated engine: the newest request wins, deadlines, streams, faults."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
from dataclasses import replace
from itertools import pairwise

import pytest

from mistral_lsp import languages
from mistral_lsp.completion import ahead, pipeline
from mistral_lsp.completion.request import Pauses, Request, Workbench
from mistral_lsp.completion.scheduler import Scheduler
from mistral_lsp.config import Settings
from mistral_lsp.context import files
from mistral_lsp.context.definitions import read_definitions
from mistral_lsp.document import Document
from mistral_lsp.types import Completion, EngineError, LoadedModel, Prompt
from tests.support.engine import PlayedEngine
from tests.support.requests import request
from tests.support.waiting import until

pytestmark = pytest.mark.jumping_clock

A_BREATH = 3 * Pauses().breath


def size(prompt: Prompt) -> int:
    return sum(len(part.text) for part in prompt.parts)


async def written(engine: PlayedEngine, characters: int) -> None:
    """Waits until the first answer has `characters` characters."""
    first = engine.generations
    await until(lambda: first and first[0].usage.generated_tokens >= characters)


async def test_the_newest_request_wins() -> None:
    engine = PlayedEngine("1 + 2\n", pause=0.01)
    workbench = Workbench(engine)
    asked = [request(f"x{number} = ") for number in range(20)]
    tasks = []
    for one in asked:
        tasks.append(asyncio.create_task(pipeline.complete(one, workbench)))
        await asyncio.sleep(0.002)
    done = await asyncio.gather(*tasks)
    assert [bool(one.text) for one in done] == [False] * 19 + [True]
    assert {one.reason for one in done[:-1]} == {pipeline.SUPERSEDED}
    assert all(generation.stopped for generation in engine.generations)


async def test_a_cancelled_request_stops_the_engine() -> None:
    engine = PlayedEngine("1 + 2\n", pause=0.05)
    task = asyncio.create_task(pipeline.complete(request("x = "), Workbench(engine)))
    await asyncio.sleep(0.08)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.generations[0].stopped


async def test_out_of_time_means_what_there_is() -> None:
    engine = PlayedEngine("one_two_three", pause=0.03)
    done = await pipeline.complete(request("x = ", deadline_ms=110), Workbench(engine))
    assert done.text and "one_two_three".startswith(done.text) and len(done.text) < 8
    assert engine.generations[0].stopped
    nothing = await pipeline.complete(
        request("y = ", deadline_ms=60), Workbench(PlayedEngine("a", pause=1.0))
    )
    assert nothing.text == "" and nothing.reason is not None and "deadline" in nothing.reason


async def test_what_is_cut_off_by_the_deadline_is_not_remembered() -> None:
    workbench = Workbench(PlayedEngine("one_two_three", pause=0.03))
    await pipeline.complete(request("x = ", deadline_ms=110), workbench)
    again = await pipeline.complete(request("x = "), workbench)
    assert not again.cached and again.text == "one_two_three"


async def test_shown_text_only_grows() -> None:
    seen: list[Completion] = []
    engine = PlayedEngine("if a:\n        b = 1\n        c = 2\n    d = 3\n", pause=0.001)
    done = await pipeline.complete(request("def f(a):\n    "), Workbench(engine), seen.append)
    texts = [one.text for one in seen] + [done.text]
    assert len(texts) > 5
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert done.text == "if a:\n        b = 1\n        c = 2"


async def test_debounce_waits_only_for_automatic_requests() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    workbench = Workbench(PlayedEngine("1\n"), scheduler=Scheduler(sleep))
    await pipeline.complete(request("x = ", debounce_ms=150), workbench)
    assert waits == [0.15]
    await pipeline.complete(request("y = ", "invoked", debounce_ms=150), workbench)
    assert waits == [0.15]


async def test_an_engine_that_fails_gives_its_reason() -> None:
    class Broken(PlayedEngine):
        async def ready(self):
            raise EngineError("The model is broken. Take another.")

    done = await pipeline.complete(request("x = "), Workbench(Broken("")))
    assert (done.text, done.reason) == ("", "The model is broken. Take another.")


async def test_doubtful_answers_are_dropped() -> None:
    workbench = Workbench(PlayedEngine("1\n", probability=0.4))
    sure = await pipeline.complete(request("x = ", min_confidence=0.3), workbench)
    doubtful = await pipeline.complete(request("x = ", min_confidence=0.5), workbench)
    assert sure.text == "1"
    assert doubtful.text == "" and "0.40" in (doubtful.reason or "")


async def test_what_is_shown_already_is_not_taken_back_by_doubts() -> None:
    workbench = Workbench(PlayedEngine("12\n", pause=0.001, probability=0.6))
    shown: list[str] = []
    done = await pipeline.complete(
        request("x = ", min_confidence=0.5), workbench, lambda grown: shown.append(grown.text)
    )
    assert shown == ["1", "12"]
    assert done.text == "12"


async def test_typing_through_asks_the_engine_once() -> None:
    engine = PlayedEngine("compute(a, b)\n")
    workbench = Workbench(engine)
    for typed in range(13):
        done = await pipeline.complete(request("x = " + "compute(a, b)"[:typed]), workbench)
        assert done.text == "compute(a, b)"[typed:]
        assert done.cached == (typed > 0)
        await asyncio.sleep(A_BREATH)
    assert engine.asked[:2] == [128, 0], "it reads what was typed"
    assert [part.label for part in engine.prompts[1].parts][-2:] == ["prefix", "mark"]
    assert engine.asked.count(ahead.NEXT_LINE_TOKENS) == 1, "and writes the next line, once"
    written = engine.asked.index(ahead.NEXT_LINE_TOKENS)
    assert engine.prompts[written].parts[-2].text == "x = compute(a, b)\n"


@pytest.mark.parametrize(("form", "last"), [("suffix-first", "mark"), ("prefix-first", "prefix")])
async def test_what_typing_would_push_away_is_not_read_ahead(form: str, last: str) -> None:
    engine = PlayedEngine("compute(a, b)\n", form=form)
    workbench = Workbench(engine)
    text = "x = comp\ny = 1\n"
    await ahead.look(replace(request(text), offset=8), workbench)
    await asyncio.sleep(A_BREATH)
    assert engine.asked == [0] and engine.prompts[0].parts[-1].label == last


async def test_nothing_is_read_ahead_between_keys_that_follow_at_once() -> None:
    engine = PlayedEngine("compute(a, b)\n")
    engine.model = replace(engine.model, can_abort=False)
    workbench = Workbench(engine, pauses=Pauses(breath=60.0))
    for typed in range(5):
        await pipeline.complete(request("x = " + "compute(a, b)"[:typed]), workbench)
        await asyncio.sleep(0.001)
    assert engine.asked == [128]


async def test_a_request_does_not_wait_for_reading_in_the_background() -> None:
    engine = PlayedEngine("abc\n")
    workbench = Workbench(engine)
    await pipeline.complete(request("x = "), workbench)
    await pipeline.complete(request("x = a"), workbench)
    await asyncio.sleep(A_BREATH)
    engine.text = "def\n"
    done = await pipeline.complete(request("y = "), workbench)
    assert done.text == "def" and not done.cached


async def test_typing_what_the_stream_writes_keeps_it() -> None:
    engine = PlayedEngine("compute(a)\n", pause=0.01)
    workbench = Workbench(engine)
    first = asyncio.create_task(pipeline.complete(request("x = ", later="x = c"), workbench))
    await written(engine, 3)
    second = asyncio.create_task(pipeline.complete(request("x = c"), workbench))
    await asyncio.sleep(0.005)
    first.cancel()
    done = await second
    assert done.text == "ompute(a)" and not done.cached
    assert done.usage.evaluated_tokens == 0
    assert engine.asked[0] == 128 and engine.asked.count(128) == 1


async def test_a_cancel_on_a_keystroke_that_agrees_keeps_the_stream() -> None:
    engine = PlayedEngine("compute(a)\n", pause=0.01)
    workbench = Workbench(engine)
    first = asyncio.create_task(pipeline.complete(request("x = ", later="x = co"), workbench))
    await written(engine, 1)  # the user is a character ahead of the model
    first.cancel()
    done = await pipeline.complete(request("x = co"), workbench)
    assert done.text == "mpute(a)"
    assert engine.asked.count(128) == 1


async def test_a_cancel_leaves_the_stream_to_another_request_at_the_same_place() -> None:
    engine = PlayedEngine("compute(a)\n", pause=0.01)
    workbench = Workbench(engine)
    first = asyncio.create_task(pipeline.complete(request("x = "), workbench))
    await written(engine, 1)
    second = asyncio.create_task(pipeline.complete(request("x = "), workbench))
    await asyncio.sleep(0.005)
    first.cancel()
    assert (await second).text == "compute(a)"
    assert engine.asked.count(128) == 1


async def test_a_cancel_on_a_keystroke_that_disagrees_stops_the_stream() -> None:
    engine = PlayedEngine("compute(a)\n", pause=0.01)
    first = asyncio.create_task(
        pipeline.complete(request("x = ", later="x = d"), workbench := Workbench(engine))
    )
    await written(engine, 3)
    first.cancel()
    await asyncio.sleep(0.001)
    assert engine.generations[0].stopped
    engine.text = "ict()\n"
    assert (await pipeline.complete(request("x = d"), workbench)).text == "ict()"


@pytest.mark.parametrize(("can_abort", "begun"), [(True, 2), (False, 1)])
async def test_an_engine_that_is_not_stopped_at_once_says_its_first_word(can_abort, begun) -> None:
    engine = PlayedEngine("compute(a)\n", pause=0.02)
    engine.model = replace(engine.model, can_abort=can_abort)
    workbench = Workbench(engine)
    first = asyncio.create_task(pipeline.complete(request("x = ", later="x = c"), workbench))
    await asyncio.sleep(0.01)  # nothing is written yet
    first.cancel()
    engine.text = "ompute(a)\n" if can_abort else engine.text
    assert (await pipeline.complete(request("x = c"), workbench)).text == "ompute(a)"
    assert engine.asked.count(128) == begun


async def test_a_stream_that_turns_out_to_disagree_is_left() -> None:
    engine = PlayedEngine("compute(a)\n", pause=0.01)
    workbench = Workbench(engine)
    asyncio.create_task(pipeline.complete(request("x = "), workbench))  # noqa: RUF006
    await asyncio.sleep(0.025)
    engine.text = "xy\n"
    assert (await pipeline.complete(request("x = comb"), workbench)).text == "xy"


async def test_what_was_dismissed_is_not_offered_there_again() -> None:
    workbench = Workbench(PlayedEngine("1 + 2\n"))
    asked = request("x = ")
    assert (await pipeline.complete(asked, workbench)).text == "1 + 2"
    workbench.rejections.reject(asked.snapshot, asked.offset)
    again = await pipeline.complete(asked, workbench)
    assert again.text == "" and "dismissed" in (again.reason or "")
    assert (await pipeline.complete(request("x = ", "invoked"), workbench)).text == "1 + 2"
    assert (await pipeline.complete(request("y = "), workbench)).text == "1 + 2"


async def test_what_is_dismissed_after_typing_its_beginning_stays_away_there() -> None:
    workbench = Workbench(PlayedEngine("1 + 2\n"))
    await pipeline.complete(request("x = "), workbench)
    typed = request("x = 1")
    workbench.rejections.reject(typed.snapshot, typed.offset)
    assert (await pipeline.complete(typed, workbench)).text == ""
    other = request("y = 1")
    workbench.rejections.reject(other.snapshot, other.offset)
    assert (await pipeline.complete(request("x = "), workbench)).text == "1 + 2"


async def test_a_place_is_read_before_anything_is_asked_there() -> None:
    engine = PlayedEngine("1\n")
    workbench = Workbench(engine)
    await ahead.look(request("x = "), workbench)
    await asyncio.sleep(A_BREATH)
    assert engine.asked == [0]
    await ahead.look(request("# a comment"), workbench)
    await asyncio.sleep(A_BREATH)
    assert engine.asked == [0], "where nothing is offered, nothing is read"


async def test_the_start_of_a_file_can_be_looked_at() -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    await ahead.look(request(""), Workbench(PlayedEngine("")))
    await asyncio.sleep(A_BREATH)
    gc.collect()  # a task tells of its exception when it goes
    assert not faults


async def test_a_place_that_is_told_while_the_model_loads_is_read_then(monkeypatch) -> None:
    engine = PlayedEngine("1\n")
    model, loaded = engine.model, asyncio.Event()

    async def ready() -> LoadedModel:
        await loaded.wait()
        return model

    monkeypatch.setattr(engine, "ready", ready)
    monkeypatch.setattr(engine, "model", None)
    await ahead.look(request("x = "), Workbench(engine))
    await asyncio.sleep(A_BREATH)
    assert engine.asked == []
    monkeypatch.setattr(engine, "model", model)
    loaded.set()
    await asyncio.sleep(A_BREATH)
    assert engine.asked == [0]


async def test_a_rest_in_shown_text_has_the_next_line_written_once() -> None:
    engine = PlayedEngine("compute(a)\n", pause=0.002)
    workbench = Workbench(engine)
    await pipeline.complete(request("x = "), workbench)
    await ahead.look(request("x = compu"), workbench)
    await asyncio.sleep(0.005)
    await ahead.look(request("x = comput"), workbench)
    await asyncio.sleep(0.1)
    assert engine.asked.count(ahead.NEXT_LINE_TOKENS) == 1
    assert (await pipeline.complete(request("x = compute(a)\n"), workbench)).cached


async def test_a_new_place_has_a_small_window_that_grows_in_a_pause() -> None:
    engine = PlayedEngine("1\n", window=4096)
    engine.model = dataclasses.replace(engine.model, first_window=400, working_window=1200)
    workbench = Workbench(engine, pauses=Pauses(rest=0.01))
    asked = request("value = other(1)\n" * 300 + "x = ")
    await pipeline.complete(asked, workbench)
    assert size(engine.prompts[0]) < 400
    await asyncio.sleep(0.05)
    assert 500 < size(engine.prompts[-1]) < 1200
    workbench.cache.clear()
    await pipeline.complete(asked, workbench)
    answered = [prompt for prompt, most in zip(engine.prompts, engine.asked) if most == 128]
    assert size(answered[-1]) == size(engine.prompts[2])


async def test_where_the_user_rested_in_one_file_is_told_in_another(tmp_path) -> None:
    workbench = Workbench(engine := PlayedEngine("1\n", window=4096), pauses=Pauses(rest=0.01))
    text, file = "price = load(1)\n", tmp_path / "b.py"
    file.write_text(text)
    python = languages.find("python")
    visited = Document("file:///b.py", "b.py", python, 1, text, str(file))
    tree = visited.snapshot().tree
    assert tree is not None
    workbench.index.put(read_definitions("b.py", text, tree, files.stamp(file)), tmp_path)
    await ahead.look(Request(visited.snapshot(), 15, "automatic", Settings()), workbench)
    await asyncio.sleep(0.05)
    await pipeline.complete(request("price = load(2)\nprice = "), workbench)
    (told,) = [part.text for part in engine.prompts[-1].parts if part.label == "related"]
    assert told == "b.py\nprice = load(1)\n"


async def test_an_error_that_nobody_foresaw_is_a_reason_and_a_line_of_the_log(
    monkeypatch, caplog
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("password = hunter2")

    engine = PlayedEngine("1\n")
    monkeypatch.setattr(engine, "generate", fails)
    done = await pipeline.complete(request("value = "), Workbench(engine, interactive=False))
    assert done.text == "" and "not foreseen: KeyError" in (done.reason or "")
    assert "not foreseen" in caplog.text and "hunter2" not in f"{done.reason} {caplog.text}"


async def test_an_error_in_a_pause_is_a_line_of_the_log(monkeypatch, caplog) -> None:
    engine = PlayedEngine("1\n")
    workbench = Workbench(engine)
    await pipeline.complete(request("value = "), workbench)
    monkeypatch.setattr(engine, "count", lambda texts: 1 / 0)
    monkeypatch.setattr(workbench.cache, "find", lambda *_: None)
    await ahead.look(request("other = "), workbench)
    await until(lambda: "ZeroDivisionError" in caplog.text)
    assert "Traceback" not in caplog.text
