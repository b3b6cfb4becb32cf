"""Signatures for Amazon Bedrock, and its stream of messages."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from mistral_lsp.engine.remote.dialects.event_stream import Reader
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.types import EngineError
from tests.contract.others import BEDROCK, STREAM, message
from tests.support.played_server import PlayedServer, Reply, playing
from tests.support.servers_page import wanted_from
from tests.support.waiting import PATIENCE_SECONDS

WHOLE = b"".join(STREAM)
ID, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG", "session-token-of-the-user"


@pytest.fixture(autouse=True)
def credentials(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("MISTRAL_LSP_API_KEY", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


async def problem_of(played: PlayedServer) -> str:
    engine = RemoteEngine(wanted_from("Amazon Bedrock", played), pace=Pace(retries=()))
    engine.start()
    try:
        await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
    except EngineError as error:
        return str(error)
    finally:
        await engine.close()
    return ""


async def test_a_request_is_signed() -> None:
    pytest.importorskip("botocore")
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    with playing(BEDROCK) as played:
        assert await problem_of(played) == ""
    asked = played.asked[-1]
    sent = asked.headers
    assert sent["X-Amz-Security-Token"] == TOKEN
    found = re.search(
        r"Credential=([^,]+), SignedHeaders=([^,]+), Signature=(\w+)", sent["Authorization"]
    )
    assert found is not None
    assert found[1].startswith(f"{ID}/") and found[1].endswith("/eu-west-3/bedrock/aws4_request")
    request = AWSRequest("POST", f"{played.url}{asked.path}", data=asked.data)
    request.context["timestamp"] = sent["X-Amz-Date"]
    for name in ("X-Amz-Date", "X-Amz-Security-Token"):
        request.headers[name] = sent[name]
    signer = SigV4Auth(Credentials(ID, SECRET, TOKEN), "bedrock", "eu-west-3")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert signer.signature(text, request) == found[3], "of exactly what was sent"


async def test_a_refusal_names_the_credentials_and_repeats_none() -> None:
    pytest.importorskip("botocore")
    for said in ("You don't have access to the model.", f"bad token {TOKEN}"):
        with playing(lambda asked, said=said: Reply.of({"message": said}, 403)) as played:
            problem = await problem_of(played)
        assert "aws sts get-caller-identity" in problem
        assert TOKEN not in problem and ("access to the model" in problem) is ("don't" in said)


async def test_without_credentials_it_says_what_to_do(monkeypatch) -> None:
    pytest.importorskip("botocore")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with playing(BEDROCK) as played:
        assert "No AWS credentials were found. Run: aws configure" in await problem_of(played)
    assert played.asked == []


async def test_without_botocore_it_says_what_to_install(monkeypatch) -> None:
    for name in ("botocore", "botocore.session"):
        monkeypatch.setitem(sys.modules, name, None)
    with playing(BEDROCK) as played:
        problem = await problem_of(played)
    assert "pip install 'mistral-lsp[bedrock]'" in problem and "MISTRAL_LSP_API_KEY" in problem
    assert played.asked == []


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_messages_arrive_in_any_pieces(size) -> None:
    reader = Reader()
    found = [
        one
        for start in range(0, len(WHOLE), size)
        for one in reader.read(WHOLE[start : start + size])
    ]
    assert [one.headers[":event-type"] for one in found] == ["chunk"] * 3


def test_a_broken_message_is_refused() -> None:
    for place in range(len(WHOLE) // 3):
        broken = bytearray(WHOLE)
        broken[place] ^= 0x40
        with pytest.raises(ValueError, match="message"):
            list(Reader().read(bytes(broken)))


def test_headers_of_other_kinds_are_passed_over() -> None:
    text = message({"a": "b"}, b"{}")
    assert [one.headers for one in Reader().read(text)] == [{"a": "b"}]


async def test_a_stream_that_is_none_is_refused() -> None:
    with playing(lambda asked: Reply((b"\0" * 64,))) as played:
        pytest.importorskip("botocore")
        assert "answers otherwise than was expected" in await problem_of(played)
