"""Servers of OpenAI's completions: what vLLM 0.32 answers, and others that differ from it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest

from mistral_lsp.engine.remote.dialects.texts import stops
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.models.marks import spelt_in
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.played_server import Asked, PlayedServer, Reply, playing

PATH = "/v1/completions"
NOT_FOUND = Reply.of({"detail": "Not Found"}, 404)
NO_SUFFIX = {
    "error": {
        "message": "suffix is only supported for models with FIM completion rendering",
        "type": "BadRequestError",
        "param": "suffix",
        "code": 400,
    }
}
TOKENS = (("total", -0.12498), (" +=", -0.04253), (" value", -0.11656), ("", -0.07499))


class Vllm:
    """Answers as vLLM does, one that serves a model under some name."""

    def __init__(
        self,
        model: str,
        tells: bool = True,
        refusal: int = 0,
        rate: float = 0.0,
        counts: bool = True,
    ):
        self.model = model
        self.tells = tells
        self.refusal = refusal
        self.rate = rate
        self.counts = counts
        self.time = 0.0
        """Seconds; goes on while a prompt is read, at `rate` tokens a second."""

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/v1/models":
            return Reply.of({"data": [{"id": self.model, "max_model_len": 4096, "root": "hf"}]})
        if asked.path != PATH:
            return NOT_FOUND
        if asked.body.get("suffix") is not None:
            return Reply.of(NO_SUFFIX, 400)
        if self.refusal and asked.body.get("logprobs") is not None:
            return Reply.of({"error": {"message": "logits_all=False"}}, self.refusal)
        if not asked.body["stream"]:
            read = len(asked.body["prompt"]) // 5
            self.time += 0.02 + (read / self.rate if self.rate else 0.0)
            usage = {"prompt_tokens": read} if self.counts else None
            choices = [self._choice(asked, "x", -0.5, "length")]
            return Reply.of({"choices": choices, "usage": usage})
        last = len(TOKENS) - 1
        chunks = [
            {"choices": [self._choice(asked, text, log, "stop" if number == last else None)]}
            for number, (text, log) in enumerate(TOKENS)
        ]
        events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return Reply((*events, "data: [DONE]\n\n"))

    def _choice(self, asked: Asked, text: str, log: float, reason: str | None) -> dict:
        told = {"text_offset": [0], "token_logprobs": [log], "tokens": [text or "</s>"]}
        tells = self.tells and asked.body.get("logprobs") is not None
        return {"index": 0, "text": text, "logprobs": told if tells else None} | {
            "finish_reason": reason,
            "stop_reason": None,
            "token_ids": None,
        }


def prompt(form: str) -> Prompt:
    marks = form == "suffix-first"
    parts = (
        *((Part("mark", special="fim_suffix"),) if marks else ()),
        Part("suffix", "\n    return total\n"),
        *((Part("mark", special="fim_prefix"),) if marks else ()),
        Part("prefix", "    for value in values:\n        "),
        *((Part("mark", special="fim_middle"),) if marks else ()),
    )
    return Prompt(form, parts)


@asynccontextmanager
async def engine_of(
    server: PlayedServer, clock: Callable[[], float] = time.perf_counter, pace: Pace = Pace()
):
    engine = RemoteEngine(Wanted((server.url,), "auto", "", 0), clock=clock, pace=pace)
    engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def tokens_of(engine: RemoteEngine, form: str):
    return [token async for token in engine.generate(prompt(form), Decoding(16))]


@pytest.mark.parametrize(
    ("rate", "least", "most"), [(300, 64, 64), (5_000, 200, 275), (0, 4096, 1e9)]
)
@pytest.mark.parametrize("counts", [True, False])
async def test_a_suffix_read_at_each_key_is_as_long_as_50_ms_allow(
    rate, least, most, counts
) -> None:
    played = Vllm("Qwen2.5-Coder-7B", rate=rate, counts=counts)
    with playing(played) as server:
        async with engine_of(server, lambda: played.time) as engine:
            model = await engine.ready()
        assert len(server.of(PATH)[0]["stop"]) == 4, "OpenAI accepts no more"
    assert model.form == "repository" and least <= model.most_suffix <= most
    assert f"{model.most_suffix} tokens of the suffix" in model.note


async def test_a_server_too_slow_to_be_measured_reads_a_short_suffix_again() -> None:
    with playing(Vllm("Qwen2.5-Coder-7B")) as server:
        async with engine_of(server, pace=Pace(measure=0.0)) as engine:
            assert (await engine.ready()).most_suffix == 64


async def test_how_sure_the_model_is_is_asked_for_and_used() -> None:
    with playing(Vllm("mistral-lsp-tiny-fim")) as server:
        async with engine_of(server) as engine:
            model = await engine.ready()
            assert (model.form, model.window) == ("suffix-first", 4096)
            tokens = await tokens_of(engine, model.form)
        assert server.of(PATH)[-1]["logprobs"] == 1
    assert [token.text for token in tokens] == ["total", " +=", " value"]
    told = [token.probability for token in tokens]
    assert told == pytest.approx([math.exp(log) for _, log in TOKENS[:3]])


@pytest.mark.parametrize("refusal", [400, 500])
async def test_a_server_that_will_not_say_how_sure_it_is_is_asked_without(refusal) -> None:
    with playing(Vllm("mistral-lsp-tiny-fim", refusal=refusal)) as server:
        async with engine_of(server) as engine:
            await engine.ready()
            tokens = await tokens_of(engine, "suffix-first")
        assert server.of(PATH)[0]["logprobs"] == 1
        assert "logprobs" not in server.of(PATH)[-1]
    assert [token.probability for token in tokens] == [1.0, 1.0, 1.0]


STRANGE = [0, -1, 1.5, "x", [], {}, True]


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
async def test_what_only_helps_may_be_of_any_type(strange) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/v1/models":
            lengths = {"max_model_len": strange, "context_length": 2048}
            return Reply.of({"data": [{"id": "qwen2.5-coder", **lengths}]})
        if asked.body is None:
            return NOT_FOUND
        choice = {"text": "x", "finish_reason": "stop", "logprobs": strange}
        told = {"usage": strange, "token": strange, "finish_reason": strange}
        chunk = {"choices": [choice], **told}
        return Reply((f"data: {json.dumps(chunk)}\n",)) if asked.body["stream"] else Reply.of(chunk)

    with playing(answer) as server:
        async with engine_of(server) as engine:
            model = await engine.ready()
            assert model.window == 2048
            assert [token.text for token in await tokens_of(engine, model.form)] == ["x"]


async def test_what_is_left_out_is_not_asked_for_again() -> None:
    with playing(Vllm("mistral-lsp-tiny-fim", tells=False)) as server:
        async with engine_of(server) as engine:
            await engine.ready()
            await tokens_of(engine, "suffix-first")
        assert server.of(PATH)[0]["logprobs"] == 1
        assert "logprobs" not in server.of(PATH)[-1]


async def test_where_no_suffix_is_taken_plain_text_is_sent() -> None:
    with playing(Vllm("mistralai/Mistral-7B-v0.1")) as server:
        async with engine_of(server) as engine:
            model = await engine.ready()
            assert model.form == "plain" and "taught" in model.note
            assert await tokens_of(engine, "plain")
        body = server.of(PATH)[-1]
        assert "suffix" not in body and "stop" not in body
        assert body["prompt"] == "\n    return total\n    for value in values:\n        "


async def test_a_model_that_follows_instructions_is_given_one() -> None:
    with playing(Vllm("mistralai/Mistral-7B-Instruct-v0.2")) as server:
        async with engine_of(server) as engine:
            assert (await engine.ready()).form == "instructed"
            asked = Prompt(
                "instructed", (Part("mark", " [INST]", special="inst"), Part("prefix", "x "))
            )
            assert [token async for token in engine.generate(asked, Decoding(16))]
            assert await engine.weigh(asked) == [len(" [INST]") // 3 + 1, 1]
        assert server.of(PATH)[-1]["prompt"] == "[INST]x "


async def test_the_tokens_of_marks_are_estimated_too() -> None:
    marks = [Part("mark", special=name) for name in ("bos", "file_sep", "fim_prefix", "fim_middle")]
    asked = Prompt("prefix-first", (*marks, Part("prefix", "total")))
    for name, expected in (("mistral-lsp-tiny-fim", [0, 1, 1, 1, 2]), ("x", [0, 0, 1, 1, 2])):
        with playing(Vllm(name)) as server:
            async with engine_of(server) as engine:
                await engine.ready()
                assert await engine.weigh(asked) == expected, name


async def test_a_server_that_takes_neither_says_so() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == PATH:
            return Reply.of({"error": {"message": "max_tokens must be 16"}}, 400)
        return Vllm("some-model")(asked)

    with playing(answer) as server:
        async with engine_of(server) as engine:
            with pytest.raises(EngineError, match=r"does not take the request.*must be 16"):
                await engine.ready()


@pytest.mark.parametrize("name", ["Qwen2.5-Coder-7B", "starcoder2-7b", "mellum-4b-sft-all"])
def test_a_server_gets_no_more_stops_than_it_accepts(name) -> None:
    assert set(stops(spelt_in(name))) >= set(list(spelt_in(name).values())[:3])
    assert len(stops(spelt_in(name))) <= 4
