"""Each server of docs/SERVERS.md, with the settings given there, against its published API."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.failures import ServerError
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.types import Decoding
from tests.contract.contract import KEY, MOST, Contract, prompt
from tests.contract.servers import CONTRACTS, PLAYED
from tests.support import servers_page
from tests.support.played_server import PlayedServer, Reply, playing
from tests.support.servers import running
from tests.support.waiting import PATIENCE_SECONDS

each_server = pytest.mark.parametrize(("server", "contract"), CONTRACTS.items(), ids=CONTRACTS)


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", KEY)


@asynccontextmanager
async def engine_of(server: str, played: PlayedServer):
    wanted = servers_page.wanted_from(server, played)
    async with running(wanted, Pace(retries=())) as engine:
        await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
        yield engine


def generation(engine: RemoteEngine, contract: Contract):
    return engine.generate(prompt(contract.form), Decoding(MOST))


def test_every_server_of_the_page_has_a_contract() -> None:
    blocks = servers_page.blocks()
    assert set(blocks) == set(PLAYED)
    page = servers_page.PAGE.read_text("utf-8")
    for server, found in blocks.items():
        assert [len(block) for block in found] == [3], f"{server}: three lines of settings"
        assert servers_page.settings_of(server).http_url, server
        assert f"| {server} |" in page, f"{server} is not in the table"
    assert "docs/SERVERS.md" in (servers_page.PAGE.parents[1] / "README.md").read_text("utf-8")


@each_server
async def test_what_is_sent_byte_by_byte(server, contract) -> None:
    with playing(contract) as played:
        async with engine_of(server, played) as engine:
            model = await engine.ready()
            assert (model.form, model.window) == (contract.form, contract.window)
            assert [token async for token in generation(engine, contract)]
        asked = played.asked[-1]
    compact = json.dumps(contract.sent, ensure_ascii=False, separators=(",", ":"))
    assert (asked.path, asked.data.decode()) == (contract.path, compact)
    name, value = contract.key_header
    assert asked.headers[name] == value
    assert str(asked.headers).count(KEY) == 1, "the key is in one header"
    assert asked.headers["Content-Type"] == "application/json"


@each_server
async def test_the_answer_as_it_arrives(server, contract) -> None:
    with playing(contract) as played:
        async with engine_of(server, played) as engine:
            answer = generation(engine, contract)
            tokens = [token async for token in answer]
            assert answer.usage.prompt_tokens == contract.prompt_tokens
            assert answer.usage.generated_tokens < MOST, "it ended by itself"
    assert tuple(token.text for token in tokens) == contract.said
    probabilities = contract.probabilities or (1.0,) * len(contract.said)
    assert [token.probability for token in tokens] == pytest.approx(probabilities)


@each_server
async def test_an_error_within_the_stream(server, contract) -> None:
    with playing(contract) as played:
        async with engine_of(server, played) as engine:
            played.answer = replace(contract, stream=contract.broken)
            with pytest.raises(ServerError, match=contract.complaint):
                async for _ in generation(engine, contract):
                    pass


@each_server
async def test_refusals_and_when_the_server_is_asked_again(server, contract) -> None:
    for refusal, complaint, seconds in contract.refusals:
        with playing(contract) as played:
            async with engine_of(server, played) as engine:
                played.answer = replace(contract, stream=refusal)
                with pytest.raises(ServerError) as raised:
                    async for _ in generation(engine, contract):
                        pass
        assert re.search(complaint, str(raised.value)), str(raised.value)
        assert raised.value.seconds == seconds, complaint


@each_server
async def test_a_stop_closes_the_connection(server, contract) -> None:
    cut = Reply(contract.stream.pieces[:-2], held=True)
    with playing(contract) as played:
        async with engine_of(server, played) as engine:
            played.answer = replace(contract, stream=cut)
            answer = generation(engine, contract)
            async for _ in answer:
                answer.stop()
            assert await asyncio.to_thread(played.left.wait, PATIENCE_SECONDS)
            assert engine.state == "ready"
