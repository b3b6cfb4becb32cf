"""Where the key comes from, and how the way to a server is secured."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import EngineError
from tests.support.played_server import Asked, Reply, playing
from tests.support.waiting import PATIENCE_SECONDS, until

ANSWER = {"choices": [{"message": {"content": "1"}, "finish_reason": "length"}]}


class Keys(KeyringBackend):
    """A keyring in memory, which notes what it was asked for."""

    priority = 1

    def __init__(self, **keys: str):
        super().__init__()
        self.keys = keys
        self.asked: list[tuple[str, str]] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        if "locked" in self.keys:
            raise KeyringLocked("no")
        return self.keys.get("key")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture
def use_keys() -> Iterator:
    before = keyring.get_keyring()

    def use(**keys: str) -> Keys:
        backend = Keys(**keys)
        keyring.set_keyring(backend)
        return backend

    yield use
    keyring.set_keyring(before)


def wants_key(asked: Asked) -> Reply:
    if asked.headers.get("Authorization") == "Bearer from-the-keyring":
        return Reply.of(ANSWER)
    return Reply.of({}, 401)


async def opened(url: str) -> RemoteEngine:
    engine = RemoteEngine(Wanted((url,), "mistral", "", 0))
    engine.start()
    try:
        await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
    finally:
        await engine.close()
    return engine


async def test_the_keyring_is_asked_once_the_server_wants_a_key(use_keys) -> None:
    keys = use_keys(key="from-the-keyring\n")
    with playing(wants_key) as server:
        await opened(server.url)
        assert keys.asked == [("mistral-lsp", server.url)]
    keys.asked.clear()
    with playing(lambda asked: Reply.of(ANSWER)) as server:
        await opened(server.url)
        assert keys.asked == []
        assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize("kept", [{}, {"locked": "yes"}])
async def test_a_keyring_without_the_key_is_a_sentence(use_keys, kept) -> None:
    use_keys(**kept)
    with playing(wants_key) as server, pytest.raises(EngineError, match="keyring set") as raised:
        await opened(server.url)
    assert f"keyring set mistral-lsp {server.url}" in str(raised.value)


async def test_a_keyring_that_waits_for_its_user_delays_no_end(use_keys, monkeypatch) -> None:
    use_keys()
    unlocked = threading.Event()
    monkeypatch.setattr(Keys, "get_password", lambda *given: unlocked.wait(PATIENCE_SECONDS) and "")
    with playing(wants_key) as server:
        engine = RemoteEngine(Wanted((server.url,), "mistral", "", 0))
        engine.start()
        try:
            waiting = await until(
                lambda: [one for one in threading.enumerate() if one.name == "keyring"]
            )
            await engine.close()
            assert all(one.daemon for one in waiting)
        finally:
            unlocked.set()
    await until(lambda: not any(one.is_alive() for one in waiting))


async def test_the_environment_stands_above_the_keyring(use_keys, monkeypatch) -> None:
    keys = use_keys(key="from-the-keyring")
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", "another")
    with playing(wants_key) as server, pytest.raises(EngineError, match="does not take the key"):
        await opened(server.url)
    assert keys.asked == []


async def test_a_key_that_can_be_none_is_said(use_keys) -> None:
    use_keys(key="clé")
    with playing(wants_key) as server, pytest.raises(EngineError, match="in the keyring for"):
        await opened(server.url)


NAME = "models.example.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A self-signed certificate for NAME, with its key."""
    path = tmp_path_factory.mktemp("certificate") / "own.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"]
    made += [f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", "-", "-out", "-"]
    path.write_bytes(subprocess.run(made, check=True, capture_output=True).stdout)
    return path


class Proxy(socketserver.ThreadingTCPServer):
    """Takes CONNECT for any host, and leads to a server of ours instead."""

    daemon_threads = True

    def __init__(self, port: int):
        self.leads_to = port
        self.connected: list[str] = []
        super().__init__(("127.0.0.1", 0), Tunnel)


class Tunnel(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        self.server.connected.append(self.rfile.readline().decode().split()[1])
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.server.leads_to)) as onwards:
            back = threading.Thread(target=pass_on, args=(onwards, self.connection))
            back.start()
            pass_on(self.connection, onwards)
            back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # whoever ends first ends the other
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with playing(lambda asked: Reply.of(ANSWER)) as server, Proxy(server.port) as proxy:
        proxy.played = server
        thread = threading.Thread(target=proxy.serve_forever, args=(0.02,))
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


async def test_https_by_a_proxy_with_a_certificate_of_ones_own(
    proxy, certificate, monkeypatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    proxy.played.secure(context)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
    with pytest.raises(EngineError, match=r"can't be reached.*certificate verify failed"):
        await opened(f"https://{NAME}")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    await opened(f"https://{NAME}")
    assert proxy.connected[-1] == f"{NAME}:443"
    assert [asked.path for asked in proxy.played.asked] == ["/v1/fim/completions"]
