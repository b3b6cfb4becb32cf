"""A server over TCP serves a client that sends the token, and no other client."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from mistral_lsp.server import admission
from tests.support.tcp import TcpClient, TcpServer, tcp_server
from tests.support.waiting import PATIENCE_SECONDS

URI = "file:///project/main.py"
TOKEN = "an-owner's-long-token"


@pytest.fixture
def server():
    with tcp_server() as running:
        yield running


def is_served(server: TcpServer, token: str) -> bool:
    with server.connected() as client:
        client.initialize(token)
        return "inlineCompletionProvider" in client.answer(1)["result"]["capabilities"]


def everything(client: TcpClient) -> list[dict]:
    return list(iter(client.receive, None))


def refused(client: TcpClient) -> bool:
    """Whether the client receives just one error, which says that the token is missing."""
    [answer] = everything(client)
    return answer["id"] == 1 and "initializationOptions.token" in answer["error"]["message"]


def test_it_listens_on_loopback_and_serves_who_brings_the_token(server) -> None:
    assert server.host == "127.0.0.1"
    assert is_served(server, server.token)
    with server.connected() as client:
        client.initialize(server.token, languages={"python": False})
        client.answer(1)
        client.send("initialized", {})
        item = {"uri": URI, "languageId": "python", "version": 1, "text": "x = 1\n"}
        client.send("textDocument/didOpen", {"textDocument": item})
        place = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 0}}
        explain = {"command": "mistralLsp.explain", "arguments": [place]}
        client.send("workspace/executeCommand", explain, 2)
        assert "switched off" in client.answer(2)["result"]["reason"], "its settings are taken"
        client.send("shutdown", None, 3)
        client.answer(3)
        client.send("exit")
        told = everything(client)
    assert not [message for message in told if "token" in json.dumps(message)]


def test_the_token_is_in_a_file_of_its_owner_as_long_as_the_server_runs(server) -> None:
    path = Path(server.where)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(server.token) >= 40
    with server.connected() as client:  # who is connected holds the end not up
        client.initialize(server.token)
        client.answer(1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE_SECONDS) == 0
    assert not path.exists()


def test_the_token_of_the_environment_is_taken_and_not_handed_on() -> None:
    with tcp_server(MISTRAL_LSP_TOKEN=TOKEN) as server:
        assert server.where == "MISTRAL_LSP_TOKEN"
        assert is_served(server, TOKEN)


def test_who_has_no_token_gets_one_refusal(server) -> None:
    for token in (None, "", "wrong", "\ud83d", 5, True, [], {}, {"token": "x"}, "x" * 500_000):
        with server.connected() as client:
            client.initialize(token)
            client.send("textDocument/didOpen", {"textDocument": {}})
            client.send("workspace/executeCommand", {"command": "mistralLsp.status"}, 2)
            client.connection.shutdown(socket.SHUT_WR)
            assert refused(client), token
    assert is_served(server, server.token)


def test_the_token_counts_in_initialize_only(server) -> None:
    options = {"initializationOptions": {"token": server.token}}
    for method in ("shutdown", "mistralLsp/none", "workspace/executeCommand"):
        with server.connected() as client:
            client.send(method, options, 1)
            assert refused(client)
    with server.connected() as client:
        client.send("initialize", {"token": server.token}, 1)
        assert refused(client)
    with server.connected() as client:  # a second message does not come to be read
        client.initialize("wrong")
        client.initialize(server.token)
        assert refused(client)


NO_MESSAGES = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
    b"GET http://127.0.0.1/ HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    b"OPTIONS * HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
    b"Content-Length: 1048577\r\n\r\n{",
    b"Content-Length: -1\r\n\r\n{",
    b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n{",
    b"Content-Length: 7\r\n\r\n{ wrong",
    b"Content-Length: 20000\r\n\r\n" + b"[" * 20_000,
    b"Content-Length: 5002\r\n\r\n[" + b"9" * 5_000 + b"]",
    b"X: y\r\n" * 1_000,
    b"X: " + b"y" * 200_000,
    b"\r\n",
)


def test_what_is_no_message_is_not_answered(server) -> None:
    for data in NO_MESSAGES:
        with server.connected() as client:
            client.send_raw(data)
            assert everything(client) == [], data[:80]
    assert is_served(server, server.token)


def test_who_says_nothing_is_not_waited_for(server) -> None:
    with server.connected() as silent, server.connected() as half:
        half.send_raw(b"Content-Length: 100\r\n\r\n{")
        assert is_served(server, server.token)
        assert everything(silent) == everything(half) == []


def test_a_crowd_that_says_nothing_keeps_nobody_out(server) -> None:
    with ExitStack() as crowd:
        silent = [
            crowd.enter_context(server.connected()) for _ in range(admission.MOST_WAITING + 20)
        ]
        assert is_served(server, server.token)
        assert everything(silent[0]) == [], "the oldest had to go"


def run(address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mistral_lsp", "--tcp", address]
    given = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=given)


def test_what_can_not_be_listened_on_or_guarded_is_named(server, own_home) -> None:
    for address, says in [
        (f"{server.port}", "can't be listened on"),
        ("99999", "can't be listened on"),
        ("²", "HOST:PORT"),
    ]:
        done = run(address)
        assert (done.returncode, says in done.stderr) == (2, True), done
    done = run("0", MISTRAL_LSP_TOKEN="guessable")
    assert done.returncode == 2 and "MISTRAL_LSP_TOKEN" in done.stderr
    (own_home / "mistral-lsp").chmod(0o755)
    done = run("0")
    assert done.returncode == 2 and "you alone can enter" in done.stderr


def test_the_help_says_what_clients_bring() -> None:
    command = [sys.executable, "-m", "mistral_lsp", "--help"]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "MISTRAL_LSP_TOKEN" in page and "initializationOptions.token" in page
