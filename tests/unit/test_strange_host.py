"""A foreign listener on a host's socket is replaced, and no client waits for it long."""

from __future__ import annotations

import asyncio
import os
import socket
import struct

import msgspec
import pytest

from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local import connect
from mistral_lsp.engine.local.client import EngineClient, Pace
from mistral_lsp.types import Decoding, EngineError, Part, Prompt

LOAD = Load("scripted", "", 0, 0, 0)


def framed(content: object) -> bytes:
    body = msgspec.msgpack.encode(content)
    return struct.pack(">I", len(body)) + body


HELLO = framed({"type": "Hello", "pid": 1})
GREETINGS = {
    "says nothing": b"",
    "greets as another version does": framed({"type": "Greeting", "version": 2}),
    "greets without its process": framed({"type": "Hello"}),
    "greets with another word": framed({"type": "Pong"}),
    "begins with a huge frame": b"\xff" * 8,
    "speaks another protocol": b"HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.fixture
def listening():
    """Gives a function that starts a listener on the host's socket, which sends `says`."""
    servers = []

    async def begin(says: bytes) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(says)
            await reader.read()
            writer.close()

        servers.append(await asyncio.start_unix_server(serve, connect.socket_path(LOAD)))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


@pytest.mark.parametrize("kind", GREETINGS)
async def test_what_does_not_greet_is_replaced(listening, kind) -> None:
    await listening(GREETINGS[kind])
    client = EngineClient(LOAD, pace=Pace(greeting=1.0))
    client.start()
    # Twice what the greeting may take, and the start of a host; on a busy machine, too.
    assert (await asyncio.wait_for(client.ready(), 2 + 0.75 * connect.START_SECONDS)).model
    assert not client._deaths
    await client.close()


def test_a_silent_one_costs_less_than_a_start_may_take() -> None:
    assert 2 * Pace().greeting < connect.START_SECONDS / 2


async def test_one_that_takes_nobody_in_is_replaced() -> None:
    path = connect.socket_path(LOAD)
    with socket.socket(socket.AF_UNIX) as full:
        full.bind(str(path))
        full.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(str(path))
        client = EngineClient(LOAD, pace=Pace(greeting=1.0))
        client.start()
        assert (await asyncio.wait_for(client.ready(), connect.START_SECONDS)).model
        await client.close()
        for one in waiting:
            one.close()


@pytest.mark.parametrize("says", [framed({"type": "Nonsense"}), framed([1]), b"\0\0\0\0"])
async def test_one_that_talks_nonsense_is_given_up_with_a_sentence(listening, says) -> None:
    await listening(HELLO + says)
    client = EngineClient(LOAD, pace=Pace(restart=0.01))
    client.start()
    with pytest.raises(EngineError, match=r"died 3 times.*mistralLsp\.reload"):
        await asyncio.wait_for(client.ready(), connect.START_SECONDS)
    await client.close()


async def test_an_error_that_nobody_foresaw_ends_the_wait_with_a_sentence(
    monkeypatch, caplog
) -> None:
    monkeypatch.delattr(os, "getuid")
    client = EngineClient(LOAD)
    client.start()
    with pytest.raises(EngineError, match=r"not foreseen: AttributeError in folders\.py, line \d+"):
        await asyncio.wait_for(client.ready(), 10)
    assert client.state == "failed" and "Traceback" not in caplog.text
    assert [record.levelname for record in caplog.records if "foreseen" in record.message]
    with pytest.raises(EngineError, match="not foreseen"):
        await client.count(["abc"])
    await client.close()


async def test_an_error_while_the_host_answers_ends_every_wait(monkeypatch, caplog) -> None:
    client = EngineClient(LOAD)
    client.start()
    await client.ready()

    def fails(*_: object) -> None:
        raise KeyError("password = hunter2")

    monkeypatch.setattr(client, "_pass_on", fails)
    generation = client.generate(Prompt("plain", (Part("prefix", "x"),)), Decoding(4))

    async def answer() -> list[object]:
        return [token async for token in generation]

    with pytest.raises(EngineError):
        await asyncio.wait_for(answer(), 10)
    with pytest.raises(EngineError, match=r"KeyError in"):
        await asyncio.wait_for(client.ready(), 10)
    assert "hunter2" not in client.message + caplog.text
    await client.close()


@pytest.mark.parametrize("engine", ["ctransformers", "llama_cpp"])
async def test_a_python_that_leaves_docstrings_out_runs_every_engine(monkeypatch, engine) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    client = EngineClient(Load(engine, "", 64, 0, 0))
    client.start()
    assert (await client.ready()).engine == engine
    await client.close()
