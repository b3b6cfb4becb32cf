"""Servers elsewhere: what they are asked in every dialect, and what their failures mean."""

from __future__ import annotations

import asyncio
import json

import pytest

from mistral_lsp.engine.remote.dialects.texts import FORM_OF_HALVES
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.played_server import Asked, Reply, playing
from tests.support.servers import running
from tests.support.waiting import PATIENCE_SECONDS, until

PROMPT = Prompt(
    FORM_OF_HALVES,
    (
        Part("mark", special="bos"),
        Part("mark", special="file_sep"),
        Part("related", "util.py\ndef twice(x): ...\n"),
        Part("mark", special="fim_suffix"),
        Part("suffix", "\nprint(<fim_middle>)\n"),
        Part("mark", special="fim_prefix"),
        Part("prefix", "def add(a, b):\n    return "),
        Part("mark", special="fim_middle"),
    ),
)
BEFORE = "util.py\ndef twice(x): ...\ndef add(a, b):\n    return "
BEHIND = "\nprint(< fim_middle>)\n"
NOT_FOUND = Reply.of({"error": "not found"}, 404)


def wanted(url: str, dialect: str = "auto", model: str = "", window: int = 0) -> Wanted:
    return Wanted((url,), dialect, model, window)


async def answer_of(engine, most: int = 16) -> tuple[str, int]:
    generation = engine.generate(PROMPT, Decoding(most))
    text = "".join([token.text async for token in generation])
    return text, generation.usage.generated_tokens


def events(*chunks: object, end: str = "data: [DONE]\n\n") -> Reply:
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return Reply((": ping\n\n", *lines, end))


# Keys


async def test_the_key_is_sent_and_never_said(monkeypatch, caplog) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", "sk-secret\n")
    with playing(lambda asked: Reply.of({"message": "bad key sk-secret"}, 401)) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            with pytest.raises(EngineError, match="MISTRAL_LSP_API_KEY") as raised:
                await engine.ready()
        assert server.asked[0].headers["Authorization"] == "Bearer sk-secret"
        assert len(server.asked) == 1, "a wrong key is not tried again at once"
    assert "sk-secret" not in str(raised.value) + caplog.text + repr(engine.states)


async def test_what_stays_on_the_machine_goes_through_no_proxy(monkeypatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with playing(mistral_server) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            assert (await engine.ready()).engine == "mistral"


# Dialects


def mistral_server(asked: Asked) -> Reply:
    if asked.path != "/v1/fim/completions":
        return NOT_FOUND
    if not asked.body.get("stream"):
        return Reply.of({"choices": [{"message": {"content": "1"}, "finish_reason": "length"}]})
    return events(
        {"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "a + "}, "finish_reason": None}]},
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "b\u2028"}}]},
        {"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}], "usage": {}},
    )


async def test_mistral() -> None:
    with playing(mistral_server) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            model = await engine.ready()
            assert (model.engine, model.model) == ("mistral", "codestral-latest")
            assert await answer_of(engine) == ("a + b\u2028", 2)
        assert server.of("/v1/fim/completions")[-1] == {
            "model": "codestral-latest",
            "prompt": BEFORE,
            "suffix": BEHIND,
            "max_tokens": 16,
            "temperature": 0,
            "stream": True,
        }


def ollama_server(asked: Asked) -> Reply:
    if asked.path == "/api/tags":
        return Reply.of({"models": [{"name": "codellama:7b-code"}]})
    if asked.path != "/api/generate":
        return NOT_FOUND
    chunks = [
        {"model": "m", "created_at": "2026-01-01T00:00:00Z", "response": "a +", "done": False},
        {"model": "m", "response": " b", "done": False},
        {"model": "m", "response": "", "done": True, "done_reason": "length", "eval_count": 2}
        | {"prompt_eval_count": 31},
    ]
    if not asked.body["stream"]:
        return Reply.of(chunks[-1])
    return Reply(tuple(f"{json.dumps(chunk)}\n" for chunk in chunks))


async def test_ollama_puts_the_marks_itself() -> None:
    with playing(ollama_server) as server:
        async with running(wanted(server.url)) as engine:
            assert (await engine.ready()).model == "codellama:7b-code"
            generation = engine.generate(PROMPT, Decoding(16))
            assert [token.text async for token in generation] == ["a +", " b"]
            assert generation.usage.prompt_tokens == 31
            assert generation.usage.generated_tokens == 16, "it was cut off, so it did not end"
        assert server.of("/api/generate")[-1] == {
            "model": "codellama:7b-code",
            "stream": True,
            "options": {"temperature": 0, "num_predict": 16, "num_ctx": 4096},
            "prompt": BEFORE,
            "suffix": BEHIND,
        }


async def test_ollama_is_given_marks_that_are_known() -> None:
    with playing(ollama_server) as server:
        async with running(wanted(server.url, "ollama", "qwen2.5-coder:7b", 2048)) as engine:
            assert (await engine.ready()).form == "repository"
            await answer_of(engine)
        body = server.of("/api/generate")[-1]
        assert body["raw"] is True and "suffix" not in body
        assert body["options"]["num_ctx"] == 2048
        assert body["prompt"] == (
            "<|file_sep|>util.py\ndef twice(x): ...\n"
            f"<|fim_suffix|>{BEHIND}<|fim_prefix|>def add(a, b):\n    return <|fim_middle|>"
        )


def openai_server(asked: Asked) -> Reply:
    if asked.path == "/v1/models":
        return Reply.of({"data": [{"id": "org/Some-Model", "max_model_len": 1024}]})
    if asked.path == "/props":  # what a server of this dialect says to what it does not know
        return Reply.of({"error": "Unexpected endpoint or method. (GET /props)"})
    if asked.path != "/v1/completions":
        return NOT_FOUND
    if not asked.body.get("stream"):
        return Reply.of({"choices": [{"text": "1", "finish_reason": "length"}]})
    return events(
        {"choices": [{"text": "a", "index": 0, "logprobs": None, "finish_reason": None}]},
        {"choices": [{"text": " + b", "index": 0, "finish_reason": None}]},
        {"choices": [{"text": "", "index": 0, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 9}},
    )


async def test_openai_with_a_suffix() -> None:
    with playing(openai_server) as server:
        async with running(wanted(f"{server.url}/v1")) as engine:
            model = await engine.ready()
            assert (model.engine, model.model, model.window) == ("openai", "Some-Model", 1024)
            assert await answer_of(engine) == ("a + b", 2)
        assert server.of("/v1/completions")[-1] == {
            "model": "org/Some-Model",
            "prompt": BEFORE,
            "suffix": BEHIND,
            "max_tokens": 16,
            "temperature": 0,
            "stream": True,
        }


async def test_openai_with_marks() -> None:
    with playing(openai_server) as server:
        async with running(wanted(server.url, "openai", "bigcode/starcoder2-7b")) as engine:
            assert (await engine.ready()).form == "prefix-first"
            await answer_of(engine)
        body = server.of("/v1/completions")[-1]
        assert body["prompt"].endswith("<fim_prefix>def add(a, b):\n    return <fim_middle>")
        assert body["stop"] == ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<file_sep>"]
        assert "print(< fim_middle>)" in body["prompt"], "the file's own text is no mark"


async def test_nothing_is_asked_in_pauses_where_it_may_cost() -> None:
    with playing(mistral_server) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            await engine.ready()
            asked = len(server.asked)
            assert [
                token async for token in engine.generate(PROMPT, Decoding(0, background=True))
            ] == []
            with pytest.raises(EngineError):
                engine.generate(PROMPT, Decoding(48, background=True))
            assert len(server.asked) == asked
            assert engine.state == "ready"


# Failures


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (401, {}, r"wants a key.*MISTRAL_LSP_API_KEY"),
        (403, {}, r"wants a key.*MISTRAL_LSP_API_KEY"),
        (404, {"error": "model 'm' not found"}, r"404: model 'm' not found.*httpModel"),
        (429, {"message": "slow down"}, r"too many requests.*slow down"),
        (429, {"error": {"message": "You exceeded your current quota"}}, r"used up.*account"),
        (402, {"detail": "no credit"}, r"used up \(402: no credit\).*account"),
        (500, {"error": {"message": "out of memory"}}, r"500: out of memory.*log"),
        (424, {"error": "Request failed", "error_type": "generation"}, r"424: Request failed.*log"),
        (301, {}, "sends us elsewhere"),
        (400, {"message": "suffix is not supported"}, r"suffix is not supported.*taught to"),
        (400, {"detail": [{"input": "x ="}]}, r"does not take the request \(400\)"),
        (200, {"hello": 1}, "answers otherwise than was expected"),
    ],
)
async def test_what_a_server_refuses_is_said(status, body, complaint) -> None:
    with playing(lambda asked: Reply.of(body, status)) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            with pytest.raises(EngineError, match=complaint):
                await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
            assert engine.state == "failed"


async def test_messages_repeat_no_code() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.body.get("stream"):
            return Reply.of({"message": f"bad: {asked.body['prompt']!r}"}, 400)
        return mistral_server(asked)

    with playing(answer) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            await engine.ready()
            with pytest.raises(EngineError, match=r"\(400\)") as raised:
                await answer_of(engine)
            assert "add" not in str(raised.value)
            assert engine.state == "ready", "another request may do"


async def test_a_busy_server_is_asked_again_before_anything_came() -> None:
    busy = [Reply.of({}, 503), Reply.of({}, 429)]
    with playing(lambda asked: busy.pop() if busy else mistral_server(asked)) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            assert (await engine.ready()).engine == "mistral"
            assert len(server.asked) == 3
            assert [state for state, _ in engine.states] == ["starting", "ready"]


@pytest.mark.parametrize("cut", [True, False])
async def test_an_answer_without_its_end_is_none(cut) -> None:
    def answer(asked: Asked) -> Reply:
        whole = mistral_server(asked)
        if asked.body.get("stream"):
            return Reply(whole.pieces[:3], cut=cut)
        return whole

    with playing(answer) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            await engine.ready()
            with pytest.raises(EngineError, match="broke off"):
                await answer_of(engine)
            assert engine.state == "starting" and "broke off" in engine.message
            streamed = [body["stream"] for body in server.of("/v1/fim/completions")]
            assert streamed == [False, True], "nothing is sent again once an answer has begun"
            assert await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS), (
                "who waits meets it again"
            )


async def test_an_error_within_a_stream_is_said() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.body.get("stream"):
            return Reply(('data: {"error": {"message": "no slot"}}\n\n',))
        return mistral_server(asked)

    with playing(answer) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            await engine.ready()
            with pytest.raises(EngineError, match="no slot"):
                await answer_of(engine)


async def test_a_server_that_comes_is_found() -> None:
    with playing(mistral_server) as gone:
        pass
    async with running(wanted(gone.url, "mistral")) as engine:
        with pytest.raises(EngineError, match=r"can't be reached.*Start it"):
            await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
        with pytest.raises(EngineError, match="can't be reached"):
            engine.generate(PROMPT, Decoding(1))
        with playing(mistral_server, gone.port):
            await until(lambda: engine.state == "ready")
            assert await answer_of(engine) == ("a + b\u2028", 2)
        told = [state for state, _ in engine.states]
        assert told == ["starting", "failed", "ready"], "once, not at every try"
    assert engine.state == "off"


async def test_a_server_that_nobody_knows_is_said() -> None:
    with playing(lambda asked: NOT_FOUND) as server:
        async with running(wanted(server.url)) as engine:
            with pytest.raises(EngineError, match=r"Is that its address.*httpDialect"):
                await engine.ready()
        assert [asked.path for asked in server.asked] == [
            "/props",
            "/api/tags",
            "/info",
            "/v1/models",
        ]


async def test_of_several_models_one_must_be_named() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply.of({"data": [{"id": "one"}, {"id": "two"}]})

    with playing(answer) as server:
        async with running(wanted(server.url, "openai")) as engine:
            with pytest.raises(EngineError, match=r"one, two.*httpModel"):
                await engine.ready()


async def test_stopping_closes_the_connection_and_ends_the_answer() -> None:
    with playing(mistral_server) as server:
        async with running(wanted(server.url, "mistral")) as engine:
            await engine.ready()
            generation = engine.generate(PROMPT, Decoding(16))
            generation.stop()
            assert [token async for token in generation] == []
            assert await answer_of(engine) == ("a + b\u2028", 2)
            assert await answer_of(engine, 1) == ("a + ", 1), "also where a limit is not heeded"
