"""A confused or malicious client of the host harms only itself."""

from __future__ import annotations

import asyncio
import os
import struct
from contextlib import asynccontextmanager, suppress

import msgspec
import psutil
import pytest

from mistral_lsp.engine import frames
from mistral_lsp.engine.frames import Cancel, Count, Generate, Load, Ping
from mistral_lsp.engine.host import connection
from mistral_lsp.engine.local import connect
from mistral_lsp.engine.local.client import EngineClient, Pace
from mistral_lsp.types import Decoding, Part, Prompt

LOAD = Load("scripted", "", 0, 0, 0)
MIDDLE = Part("mark", special="fim_middle")
PATIENCE = 30.0


def ask(number: int, prefix: str = "x = ", most: int = 4) -> Generate:
    return Generate(number, Prompt("plain", (Part("prefix", prefix), MIDDLE)), Decoding(most))


def body(frame: object, **changes: object) -> bytes:
    """Encodes a frame with some fields changed to values that our own clients never send."""
    raw = msgspec.msgpack.decode(msgspec.msgpack.encode(frame))
    packed = msgspec.msgpack.encode({**raw, **changes})
    return struct.pack(">I", len(packed)) + packed


def framed(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


@pytest.fixture
def script(tmp_path, monkeypatch) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"delay_ms": 1, "answers": [{"after": "x = ", "answer": "1"}]}')
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(path))


@asynccontextmanager
async def honest():
    client = EngineClient(LOAD)
    client.start()
    await client.ready()
    try:
        yield client
    finally:
        await client.close()


async def is_well(client: EngineClient, pid: int) -> None:
    """Checks that the client still has the same host, and that this host answers."""
    generation = client.generate(Prompt("plain", (Part("prefix", "x = "), MIDDLE)), Decoding(4))

    async def answer() -> str:
        return "".join([token.text async for token in generation])

    assert await asyncio.wait_for(answer(), PATIENCE) == "1"
    assert await asyncio.wait_for(client.count(["abc"]), PATIENCE) == [3]
    assert client.host_pid == pid and psutil.pid_exists(pid) and not client._deaths


@asynccontextmanager
async def raw():
    """Opens a raw connection to the host, and reads the greeting."""
    reader, writer = await asyncio.open_unix_connection(
        connect.socket_path(LOAD), limit=frames.LARGEST_FRAME
    )
    await frames.read_reply(reader)
    try:
        yield reader, writer
    finally:
        await closed(writer)


async def closed(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def ending(reader: asyncio.StreamReader) -> list[object]:
    """Gives all replies up to the end of the connection; fails if the host does not end it."""
    said = []

    async def read() -> None:
        while True:
            said.append(await frames.read_reply(reader))

    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(read(), PATIENCE)
    return said


ENDS = {
    "one id twice": body(ask(1, "z" * 500)) + body(ask(1)),
    "less than no tokens": body(ask(1), decoding={"max_tokens": -1}),
    "any number of tokens": body(ask(1), decoding={"max_tokens": 1 << 40}),
    "a line that nobody can choose": body(ask(1), decoding={"max_tokens": 4, "line": 10**9}),
    "no object": framed(msgspec.msgpack.encode([1, 2, 3])),
    "an unknown frame": framed(msgspec.msgpack.encode({"type": "Nonsense", "id": 1})),
    "a wrong type": body(Count(1, ["a"]), texts="a"),
    "no text": body(Count(1, ["a"])).replace(b"\xa1a", b"\xa1\xff"),
    "an id that is no number": body(Cancel(1), id="x"),
    "garbage": framed(os.urandom(64)),
    "nothing": framed(b""),
    "deep nesting": framed(b"\x91" * 100_000 + b"\xc0"),
    "a huge frame": struct.pack(">I", 0xFFFFFFFF),
    "another model": body(Load("scripted", "/another.gguf", 0, 0, 0)),
    "more than anybody asks": b"".join(body(ask(n, "z" * 99)) for n in range(2_000)),
}


@pytest.mark.parametrize("kind", ENDS)
async def test_what_no_client_of_ours_sends_ends_its_connection(script, kind) -> None:
    async with honest() as client, raw() as (reader, writer):
        pid = client.host_pid
        writer.write(body(LOAD) + ENDS[kind])
        await ending(reader)
        await is_well(client, pid)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Generate(1, Prompt("plain", ()), Decoding(4)), "empty"),
        (
            Generate(1, Prompt("nonsense", (Part("x", special="nonsense"),)), Decoding(4)),
            "no nonsense token",
        ),
        (ask(1, "z" * 5_000), "don't fit"),
        (ask(1, "z" * 6_000_000), "don't fit"),
        (ask(1, most=100_000), "don't fit"),
        (Generate(1, Prompt("plain", (Part("x"),) * 100_000), Decoding(4)), "parts"),
    ],
)
async def test_what_can_not_be_answered_is_a_sentence(script, request_, says) -> None:
    async with honest() as client, raw() as (reader, writer):
        pid = client.host_pid
        writer.write(body(LOAD) + body(request_))
        while not isinstance(said := await frames.read_reply(reader), frames.Finished):
            pass
        assert says in said.error
        await is_well(client, pid)


@pytest.mark.parametrize("frame", [Count(1, ["abc"]), ask(1)])
async def test_who_asks_before_a_model_is_loaded_is_told(script, frame) -> None:
    async with started_alone() as (reader, writer, pid):
        writer.write(body(Cancel(7)) + body(frame))
        said = await asyncio.wait_for(frames.read_reply(reader), PATIENCE)
        assert "No model is loaded" in said.error
        writer.write(body(LOAD))
        assert isinstance(await frames.read_reply(reader), frames.Loaded)
        writer.write(body(Count(2, ["abc"])))
        assert (await frames.read_reply(reader)).counts == [3]
        assert psutil.pid_exists(pid)


@asynccontextmanager
async def started_alone():
    """Starts a host to which no client has sent anything yet."""
    reader, writer, hello = await connect.connect(LOAD, Pace().greeting)
    try:
        yield reader, writer, hello.pid
    finally:
        await closed(writer)
        await asyncio.to_thread(psutil.wait_procs, [psutil.Process(hello.pid)], 5)


async def test_half_sent_frames_keep_no_memory(script, monkeypatch) -> None:
    async with honest() as client:
        pid = client.host_pid
        before = psutil.Process(pid).memory_info().rss
        half = struct.pack(">I", frames.LARGEST_FRAME) + b"\0" * (frames.LARGEST_FRAME - 1)
        senders = []
        for _ in range(20):
            _, writer = await asyncio.open_unix_connection(connect.socket_path(LOAD))
            writer.write(half)
            senders.append(writer)
        for _ in range(20):
            await is_well(client, pid)
            await asyncio.sleep(0.05)
        grown = psutil.Process(pid).memory_info().rss - before
        assert grown < 64e6, f"{grown / 1e6} MB"
        await closed(*senders)


async def test_a_frame_that_does_not_come_to_its_end_ends_the_connection(script) -> None:
    async with honest() as client, raw() as (reader, writer):
        writer.write(struct.pack(">I", 100) + b"\0" * 50)
        await ending(reader)
        await is_well(client, client.host_pid)


async def test_who_does_not_listen_is_left(script) -> None:
    async with honest() as client:
        pid = client.host_pid
        _, writer = await asyncio.open_unix_connection(connect.socket_path(LOAD))
        try:
            for _ in range(200):
                writer.write(body(Ping()) * 10_000)
                await asyncio.wait_for(writer.drain(), PATIENCE)
        except ConnectionError:
            pass
        else:
            pytest.fail("it was listened to for ever")
        finally:
            await closed(writer)
        await is_well(client, pid)
        assert psutil.Process(pid).memory_info().rss < 200e6


async def test_a_client_that_comes_with_many_others_is_not_kept(script) -> None:
    async with honest() as client:
        pid = client.host_pid
        path = connect.socket_path(LOAD)
        crowd = [await asyncio.open_unix_connection(path) for _ in range(connection.MOST + 10)]
        # Whoever is let in is greeted, in whatever order the host sees them.
        reading = [reader.read(1) for reader, _ in crowd]
        first = await asyncio.wait_for(asyncio.gather(*reading, return_exceptions=True), PATIENCE)
        assert 0 < first.count(b"\0") < connection.MOST, "one is the honest client"
        await is_well(client, pid)
        await closed(*(writer for _, writer in crowd))
