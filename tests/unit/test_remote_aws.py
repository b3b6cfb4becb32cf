"""Signatures for Amazon Bedrock, and its stream of messages."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import shlex
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.eventstream import EventStreamBuffer

from mistral_lsp.engine.remote import http
from mistral_lsp.engine.remote.aws import SEARCH, Signature
from mistral_lsp.engine.remote.dialects.bedrock import _messages
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.failures import ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.types import Decoding, EngineError
from tests.contract.contract import prompt
from tests.contract.others import BEDROCK, STREAM, message
from tests.support.played_server import PlayedServer, Reply, playing
from tests.support.servers_page import wanted_from
from tests.support.waiting import PATIENCE_SECONDS, until

WHOLE = b"".join(STREAM)
NESTED = b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
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


async def problem_of(played: PlayedServer, pace: Pace = Pace(retries=())) -> str:
    engine = RemoteEngine(wanted_from("Amazon Bedrock", played), pace=pace)
    engine.start()
    try:
        await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
    except EngineError as error:
        return str(error)
    finally:
        await engine.close()
    return ""


async def test_a_request_is_signed() -> None:
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
    for said in ("You don't have access to the model.", f"bad token {TOKEN}"):
        with playing(lambda asked, said=said: Reply.of({"message": said}, 403)) as played:
            problem = await problem_of(played)
        assert "aws sts get-caller-identity" in problem
        assert TOKEN not in problem and ("access to the model" in problem) is ("don't" in said)


async def test_without_credentials_it_says_what_to_do(monkeypatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with playing(BEDROCK) as played:
        assert "No AWS credentials were found. Run: aws configure" in await problem_of(played)
    assert played.asked == []


async def test_without_botocore_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "mistral_lsp.engine.remote.aws_session", raising=False)
    for name in ("botocore", "botocore.eventstream"):
        monkeypatch.setitem(sys.modules, name, None)
    with playing(BEDROCK) as played:
        problem = await problem_of(played)
    assert "pip install 'mistral-lsp[bedrock]'" in problem
    assert played.asked == []


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_messages_arrive_in_any_pieces(size) -> None:
    buffer = EventStreamBuffer()
    found = [
        one
        for start in range(0, len(WHOLE), size)
        for one in _messages(buffer, WHOLE[start : start + size])
    ]
    assert [one.headers[":event-type"] for one in found] == ["chunk"] * 3


def test_a_broken_message_is_refused() -> None:
    for place in range(len(WHOLE) // 3):
        broken = bytearray(WHOLE)
        broken[place] ^= 0x40
        with pytest.raises(ValueError, match="message"):
            list(_messages(EventStreamBuffer(), bytes(broken)))


async def test_a_stream_that_is_none_is_refused() -> None:
    with playing(lambda asked: Reply((b"\0" * 64,))) as played:
        assert "answers otherwise than was expected" in await problem_of(played)


@pytest.mark.parametrize(
    "payload",
    [NESTED, json.dumps({"bytes": base64.b64encode(NESTED).decode()}).encode()],
    ids=["outside", "inside"],
)
async def test_a_payload_that_is_nested_deeply_is_refused(payload) -> None:
    sent = message({":message-type": "event", ":event-type": "chunk"}, payload)
    with playing(lambda asked: Reply((sent,))) as played:
        assert "answers otherwise than was expected" in await problem_of(played)


# Where the credentials come from


class Profile:
    """The AWS configuration, in place of the credentials in the environment."""

    def __init__(self, folder: Path):
        self.folder = folder

    def write(self, *lines: str) -> None:
        """Writes the profile `default`."""
        profile = "\n".join(["[default]", "region = eu-west-3", *lines])
        source = f"[profile src]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"
        (self.folder / "config").write_text(f"{profile}\n{source}")

    def run(self, code: str) -> None:
        """Makes a Python program the `credential_process`."""
        program = self.folder / "program.py"
        program.write_text(textwrap.dedent(code))
        command = shlex.join([sys.executable, str(program)])
        self.write(f"credential_process = {command}")


@pytest.fixture
def profile(monkeypatch, tmp_path) -> Profile:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    return Profile(tmp_path)


GIVES = """
    import datetime, json
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)
    found = {"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}
    print(json.dumps(found | {"Expiration": end.isoformat()}))
"""
HANGS = "import time; time.sleep(3600)"
ROLE = "role_arn = arn:aws:iam::123456789012:role/x"


async def test_nobody_is_asked_for_a_code(profile, monkeypatch) -> None:
    profile.write(ROLE, "source_profile = src", "mfa_serial = arn:aws:iam::123456789012:mfa/u")
    asked: list[str] = []
    monkeypatch.setattr("getpass.getpass", asked.append)
    with playing(BEDROCK) as played:
        problem = await problem_of(played)
    assert "wants a code (mfa_serial)" in problem and "AWS_PROFILE" in problem
    assert asked == []


@pytest.mark.parametrize("chained", [False, True], ids=["itself", "as the source of a role"])
async def test_a_program_gets_no_input_and_no_terminal(profile, tmp_path, chained) -> None:
    profile.run(f"""
        import os, pathlib, sys
        said = [sys.stdin.read(), os.getsid(0) == os.getpid()]
        pathlib.Path({str(tmp_path / "said")!r}).write_text(repr(said))
        sys.exit(1)
    """)
    if chained:
        written = (tmp_path / "config").read_text().replace("[default]", "[profile other]")
        role = f"[default]\nregion = eu-west-3\n{ROLE}\nsource_profile = other\n"
        (tmp_path / "config").write_text(role + written)
    with playing(BEDROCK) as played:
        assert "AWS credentials can't be used" in await problem_of(played)
    assert (tmp_path / "said").read_text() == "['', True]"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["credential_process = /no/such/program"], "FileNotFoundError"),
        (["credential_process = echo hello"], "JSONDecodeError"),
        (["credential_process = sh -c 'printf \"\\033[31mSECRET\" >&2; exit 1'"], "RetrievalError"),
        ([ROLE, "web_identity_token_file = /no/such/file"], "FileNotFoundError"),
        ([ROLE, "source_profile = nobody"], "InvalidConfigError"),
    ],
)
async def test_credentials_that_cannot_be_used_are_a_sentence(profile, lines, kind) -> None:
    profile.write(*lines)
    with playing(BEDROCK) as played:
        problem = await problem_of(played)
    assert kind in problem and "aws sts get-caller-identity" in problem
    assert "SECRET" not in problem and problem.isprintable()


async def test_a_refused_role_is_a_sentence(profile, monkeypatch) -> None:
    code = "<Code>AccessDenied</Code><Message>no SECRET</Message>"
    refusal = f"<ErrorResponse><Error>{code}</Error></ErrorResponse>"

    profile.write(ROLE, "source_profile = src")
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    def call(self, name, params):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": refusal}}, name)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    with playing(BEDROCK) as played:
        problem = await problem_of(played)
    assert "ClientError AccessDenied" in problem and "SECRET" not in problem


def searches() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == SEARCH]


async def test_a_search_that_hangs_holds_nothing_up_and_ends(profile, monkeypatch) -> None:
    from mistral_lsp.engine.remote import aws_session

    monkeypatch.setattr(aws_session, "LONGEST_SECONDS", 2.0)
    profile.run(HANGS)
    server = HttpClient("http://localhost:1", Pace(credentials=0.1))
    signature = Signature(server)
    for _ in range(3):
        with pytest.raises(ServerError, match="none came within"):
            await signature.headers("GET", server.address, b"")
    [search] = searches()
    assert search.daemon, "our end does not wait for it"
    await until(lambda: not searches(), "the program is killed")
    profile.run(GIVES)
    server.pace = replace(server.pace, credentials=PATIENCE_SECONDS)
    assert "Authorization" in await Signature(server).headers("GET", server.address, b"")
    await server.close()


async def test_credentials_that_expire_in_use_are_a_lost_server(profile) -> None:
    profile.run(GIVES)
    with playing(BEDROCK) as played:
        engine = RemoteEngine(wanted_from("Amazon Bedrock", played), pace=Pace(retries=()))
        engine.start()
        try:
            model = await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
            profile.run("raise SystemExit(1)")
            with pytest.raises(ServerError, match="AWS credentials can't be used"):
                async for _ in engine.generate(prompt(model.form), Decoding(8)):
                    pass
            assert engine.state == "failed"
        finally:
            await engine.close()


async def test_botocore_is_imported_in_a_thread() -> None:
    code = """
        import asyncio, sys, threading
        from mistral_lsp.engine.remote.aws import Signature
        from mistral_lsp.engine.remote.http import HttpClient

        threads = set()

        class Finder:
            def find_spec(self, name, path, target=None):
                if name.startswith("botocore"):
                    threads.add(threading.current_thread().name)

        sys.meta_path.insert(0, Finder())

        async def main():
            server = HttpClient("http://localhost:1")
            await Signature(server).headers("GET", server.address, b"")

        asyncio.run(main())
        print(*threads)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert done.stdout.strip() == SEARCH, done.stderr


async def test_no_token_is_logged(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    with playing(BEDROCK) as played:
        assert await problem_of(played) == ""
    assert TOKEN not in caplog.text and SECRET not in caplog.text


async def test_a_key_in_the_keyring_takes_the_place_of_credentials(profile, monkeypatch) -> None:
    monkeypatch.setattr(http, "from_keyring", lambda address: "key-of-bedrock")
    with playing(BEDROCK) as played:
        assert await problem_of(played) == ""
    assert {asked.headers["Authorization"] for asked in played.asked} == {"Bearer key-of-bedrock"}


async def test_a_refused_key_is_not_blamed_on_the_credentials(monkeypatch) -> None:
    monkeypatch.setattr(http, "from_keyring", lambda address: "key-of-bedrock")
    with playing(lambda asked: Reply.of({"message": "denied"}, 403)) as played:
        problem = await problem_of(played)
    assert "does not take the key" in problem and "aws sts" not in problem
