"""A server that means harm, or is broken: a sentence, little memory, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.played_server import Asked, Reply, playing

KEY = "sk-9fQ2xLmZ7pTr4WcB"
CODE = "transfer(amount, account_of_my_customer, 'hunter2 and more')"
PROMPT = Prompt("suffix-first-alone", (Part("prefix", f"def f():\n    {CODE}\n"),))
MOST_BYTES = 40e6
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENCE = 60.0


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def whole(data: bytes, **headers: str) -> bytes:
    more = b"".join(
        f"{name.replace('_', '-')}: {value}\r\n".encode() for name, value in headers.items()
    )
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % len(data) + data


Says = Callable[[], AsyncIterator[bytes]]


@contextlib.asynccontextmanager
async def saying(says: Says):
    """A server that answers anything so, for as long as it is listened to."""

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, EOFError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            async for data in says():
                writer.write(data)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def once(data: bytes) -> Says:
    async def says() -> AsyncIterator[bytes]:
        yield data

    return says


def for_ever(start: bytes, more: bytes, pause: float = 0.0) -> Says:
    async def says() -> AsyncIterator[bytes]:
        yield start
        while True:
            await asyncio.sleep(pause)
            yield more

    return says


BOMB = gzip.compress(gzip.compress(b'{"data": [' + b" " * 300_000_000 + b"]}"))
SMALL = b'{"data": [{"id": "m"}]}'
HARM = {
    "gzip in gzip": once(whole(BOMB, Content_Encoding="gzip, gzip")),
    "gzip": once(whole(gzip.compress(SMALL), Content_Encoding="GZIP")),
    "deflate": once(whole(zlib.compress(SMALL), Content_Encoding="deflate")),
    "br": once(whole(SMALL, Content_Encoding="br")),
    "zstd": once(whole(SMALL, Content_Encoding="identity, zstd")),
    "a refusal in gzip": once(whole(BOMB, Content_Encoding="gzip").replace(b"200", b"500", 1)),
    "headers without end": for_ever(HEAD, b"X-More: " + b"x" * 8000 + b"\r\n"),
    "a header without end": for_ever(HEAD + b"X: ", b"x" * 8000),
    "only promises": for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
    "a body without end": for_ever(CHUNKED, chunk(b" " * 65_536)),
    "a body of single bytes": for_ever(CHUNKED, chunk(b" ") * 5_000),
    "a refusal without end": for_ever(CHUNKED.replace(b"200", b"500", 1), chunk(b" " * 65_536)),
    "a huge chunk": for_ever(CHUNKED + b"F" * 15 + b"\r\n", b" " * 65_536),
    "a chunk of no size": once(CHUNKED + b"F" * 100 + b"\r\n "),
    "a huge length": for_ever(HEAD + b"Content-Length: 99999999999999\r\n\r\n", b" " * 65_536),
    "no length": for_ever(HEAD + b"Content-Length: -1\r\n\r\n", b" " * 65_536),
    "slow headers": for_ever(HEAD + b"X: ", b"x", 0.05),
    "a slow body": for_ever(CHUNKED, chunk(b" "), 0.05),
    "nothing": for_ever(b"", b"", 0.05),
    "a redirect to itself": once(
        b"HTTP/1.1 302 Found\r\nLocation: /v1/models\r\nContent-Length: 0\r\n\r\n"
    ),
    "deep nesting": once(whole(b'{"x": ' + b"[" * 300_000)),
    "huge numbers": once(whole(b'{"data": [{"id": "m", "max_model_len": ' + b"9" * 5000 + b"}]}")),
    "a window of less than nothing": once(whole(b'{"data": [{"id": "m", "max_model_len": -5}]}')),
    "half a character": once(whole(b'{"data": [{"id": "\\ud800"}]}')),
    "no text": once(whole(b'{"data": [{"id": "\xff"}]}')),
    "a name of megabytes": once(whole(b'{"data": [{"id": "' + b"x" * 5_000_000 + b'"}]}')),
    "a wait of strange digits": once(
        "HTTP/1.1 503 Busy\r\nRetry-After: ²\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    ),
    "no HTTP": once(b"\x1b[2J" + KEY.encode() + b"\r\n\r\n"),
}  # fmt: skip


HURRIED = Pace(head=1.0, answer=1.0, load=1.0)


@pytest.mark.parametrize("kind", HARM)
async def test_what_a_server_does_is_bounded_and_said(monkeypatch, caplog, kind) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", KEY)
    async with saying(HARM[kind]) as url:
        engine = RemoteEngine(Wanted((url,), "openai", "", 0), pace=HURRIED)
        engine.start()
        tracemalloc.start()
        try:
            with pytest.raises(EngineError) as raised:
                await asyncio.wait_for(engine.ready(), PATIENCE)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            await engine.close()
    assert "not foreseen" not in str(raised.value) and len(str(raised.value)) < 1_000
    assert KEY not in str(raised.value) + caplog.text and "\x1b" not in str(raised.value)
    assert peak < MOST_BYTES, f"{peak / 1e6} MB"


# Answers


def answers(*lines: bytes, more: bytes = b"") -> Says:
    """A server of OpenAI's dialect that streams `lines`, and then `more` without end."""

    async def says() -> AsyncIterator[bytes]:
        yield CHUNKED + b"".join(chunk(line + b"\n") for line in lines)
        while more:
            yield more
        yield b"0\r\n\r\n"

    return says


WORD = b'data: {"choices": [{"text": "x"}]}'
ANSWERS = {
    "a line without end": answers(WORD, more=chunk(b"x" * 65_536)),
    "a line of single bytes": answers(WORD, more=chunk(b"x") * 5_000),
    "comments without end": answers(WORD, more=chunk(b": ping\n" * 1_000)),
    "nothing without end": answers(WORD, more=chunk(b'data: {"choices": []}\n' * 100)),
    "huge words": answers(
        *[b'data: {"choices": [{"text": "' + b"x" * 900_000 + b'"}]}'] * 5
    ),
    "deep nesting": answers(b'data: {"choices": ' + b"[" * 300_000),
    "likelier than likely": answers(
        b'data: {"choices": [{"text": "x", "logprobs": {"token_logprobs": [1e308]}}]}'
    ),
    "words of another type": answers(b'data: {"choices": [{"text": 5}]}'),
}  # fmt: skip


@pytest.mark.parametrize("kind", ANSWERS)
async def test_an_answer_is_bounded_and_ends(kind) -> None:
    async def says() -> AsyncIterator[bytes]:
        say = ANSWERS[kind] if asked else once(whole(b'{"choices": [{"text": ""}]}'))
        async for data in say():
            yield data

    asked: list[int] = []
    async with saying(says) as url:
        engine = RemoteEngine(Wanted((url,), "mistral", "", 0), pace=HURRIED)
        engine._members[0]._wanted = Wanted((url,), "mistral", "m", 0)
        engine.start()
        await asyncio.wait_for(engine.ready(), PATIENCE)
        asked.append(1)
        generation = engine.generate(PROMPT, Decoding(64))

        async def answer() -> str:
            return "".join([token.text async for token in generation])

        tracemalloc.start()
        try:
            text = await asyncio.wait_for(answer(), PATIENCE)
        except EngineError as error:
            text = str(error)
            assert "not foreseen" not in text
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            await engine.close()
    assert len(text) < 100_000 and peak < MOST_BYTES, f"{peak / 1e6} MB"


@pytest.mark.parametrize("piece", ["[300]", "[-1]", '["x"]', "5", "null"])
async def test_bytes_that_are_none_are_a_sentence(piece) -> None:
    tokens = f'{{"tokens": [{{"id": 5, "piece": {piece}}}]}}'

    def answer(asked: Asked) -> Reply:
        if asked.path == "/props":
            settings = {"default_generation_settings": {"n_ctx": 4096}}
            return Reply.of({**settings, "model_path": "some.gguf"})
        if asked.path == "/completion":
            return Reply.of({"timings": {"prompt_n": 9, "prompt_per_second": 1000.0}})
        if asked.body.get("with_pieces"):
            return Reply((tokens,))
        content = asked.body["content"]
        texts = content if isinstance(content, list) else [content]
        return Reply.of({"tokens": [-1 if text == -1 else 7 for text in texts]})

    with playing(answer) as server:
        engine = RemoteEngine(Wanted((server.url,), "llama-server", "", 512))
        engine.start()
        await asyncio.wait_for(engine.ready(), PATIENCE)
        generation = engine.generate(PROMPT, Decoding(8))
        with pytest.raises(EngineError, match="otherwise than was expected"):
            await asyncio.wait_for(anext(aiter(generation)), PATIENCE)
        await engine.close()


async def test_what_nobody_foresaw_is_a_sentence_and_the_server_is_asked_again(
    monkeypatch, caplog
) -> None:
    def fails(*_: object) -> None:
        raise KeyError(CODE)

    with playing(lambda asked: Reply.of({"choices": [{"text": "x"}]})) as server:
        engine = RemoteEngine(Wanted((server.url,), "mistral", "", 0))
        with monkeypatch.context() as broken:
            broken.setattr("mistral_lsp.engine.remote.member.find", fails)
            engine.start()
            with pytest.raises(EngineError, match=r"not foreseen: KeyError in member\.py"):
                await asyncio.wait_for(engine.ready(), PATIENCE)
            assert "asked again" in engine.message
            await engine.close()
        engine = RemoteEngine(Wanted((server.url,), "mistral", "", 0))
        engine.start()
        await asyncio.wait_for(engine.ready(), PATIENCE)
        monkeypatch.setattr("mistral_lsp.engine.remote.dialects.mistral.halves", fails)
        with pytest.raises(EngineError, match=r"not foreseen: KeyError in mistral\.py"):
            await asyncio.wait_for(anext(aiter(engine.generate(PROMPT, Decoding(8)))), PATIENCE)
        await engine.close()
    assert "hunter2" not in caplog.text and "Traceback" not in caplog.text


async def test_no_cookie_is_kept() -> None:
    many = {"Set-Cookie": f"a={'x' * 3000}"}
    with playing(lambda asked: Reply.of({"choices": [{"text": "x"}]}, **many)) as server:
        engine = RemoteEngine(Wanted((server.url,), "mistral", "", 0))
        engine.start()
        await asyncio.wait_for(engine.ready(), PATIENCE)
        with contextlib.suppress(EngineError):
            await anext(aiter(engine.generate(PROMPT, Decoding(8))))
        await engine.close()
        assert len(server.asked) == 2
        assert "Cookie" not in server.asked[-1].headers


async def test_a_server_that_is_none_repeats_no_key(monkeypatch, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", KEY)
    for line in (f"HTTP/1.1 {KEY} x", f"HTTP/1.1 500 {KEY}", f"HTTP/1.1 200 OK\r\n{KEY} x: y"):
        async with saying(once(f"{line}\r\nContent-Length: 0\r\n\r\n".encode())) as url:
            engine = RemoteEngine(Wanted((url,), "openai", "", 0))
            engine.start()
            with pytest.raises(EngineError) as raised:
                await asyncio.wait_for(engine.ready(), PATIENCE)
            await engine.close()
            assert KEY not in f"{raised.value} {caplog.text}"


async def test_a_models_name_is_one_short_line(monkeypatch) -> None:
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", KEY)
    for name, shown in (
        ("a\x1b[31m\u202e\nb\u200bc", "a[31m bc"),
        ("x" * 900, "x" * 79 + "…"),
        (f"my-{KEY}", "a model"),
    ):

        def answer(asked: Asked, name: str = name) -> Reply:
            if asked.path == "/v1/models":
                return Reply.of({"data": [{"id": name}]})
            return Reply.of({"choices": [{"text": "x", "finish_reason": "length"}]})

        with playing(answer) as server:
            engine = RemoteEngine(Wanted((server.url,), "openai", "", 0))
            engine.start()
            model = await asyncio.wait_for(engine.ready(), PATIENCE)
            assert model.model == shown and engine.message == f"{shown} on openai."
            assert server.of("/v1/completions")[-1]["model"] == name, "it is asked for as it is"
            await engine.close()
