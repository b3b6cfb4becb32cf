"""Which servers the settings may name, and that they choose the engine."""

from __future__ import annotations

import asyncio

import pytest

from mistral_lsp import config
from mistral_lsp.config import Settings
from mistral_lsp.engine.choose import new_engine, wanted_by
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.wanted import Wanted, address_of
from mistral_lsp.types import EngineError
from tests.support.waiting import PATIENCE_SECONDS


def wanted(url: str) -> Wanted:
    return Wanted((url,), "auto", "", 0)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "Set mistralLsp.httpUrl"),
        ("localhost:8080", "no address of a server"),
        ("http://localhost:eight", "no address of a server"),
        ("file:///etc/passwd", "no address of a server"),
        ("https://example\x7f.com", "no address of a server"),
        ("http://[::1", "no address of a server"),
        ("https://me:secret@example.com", "MISTRAL_LSP_API_KEY"),
        ("https://example.com/?key=secret", "MISTRAL_LSP_API_KEY"),
        ("https://example.com/?api-version=1&key=secret", "MISTRAL_LSP_API_KEY"),
        ("https://example.com/?api-version=a secret", "MISTRAL_LSP_API_KEY"),
        ("htp://me:secret@example.com", "no address of a server"),
        ("https://me:secret@[", "no address of a server"),
        ("https://secret@example.com:port", "no address of a server"),
        ("me:secret@example.com/?key=secret", "no address of a server"),
        ("https://me:se/secret@example.com", "no address of a server"),
        ("https://me:12/secret@example.com", "MISTRAL_LSP_API_KEY"),
        ("https://me:secret?secret@example.com", "no address of a server"),
        ("htp://example.com/?key=secret@secret", "no address of a server"),
        ("https://example.com:eight/?key=secret#secret", "no address of a server"),
        ("http://example.com:8080", r"Use https, or a tunnel: ssh -L 8080:localhost:8080"),
        ("http://localhost.example.com", "Use https"),
        ("http://192.168.1.5:8080", "Use https"),
    ],
)
async def test_a_wrong_address_is_named(url, complaint) -> None:
    said: list[str] = []
    engine = RemoteEngine(wanted(url), lambda state, message: said.append(message))
    engine.start()
    with pytest.raises(EngineError, match=complaint) as raised:
        await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
    assert "secret" not in f"{raised.value} {said}"
    assert engine.state == "failed"
    await engine.close()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://127.0.0.5:1/v1", "http://127.0.0.5:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://example.com/models/v1/", "https://example.com/models"),
        ("https://example.com/openai/v1/?api-version=preview", "https://example.com/openai/v1"),
    ],
)
def test_right_addresses(url, address) -> None:
    assert address_of(url) == address


def test_the_settings_choose_the_engine() -> None:
    settings, problems = config.read(
        {"engine": "http", "httpUrl": " http://localhost:1 ", "httpModel": "m"}, Settings()
    )
    assert problems == []
    assert wanted_by(settings) == Wanted(("http://localhost:1",), "auto", "m", 0)
    assert isinstance(new_engine(wanted_by(settings)), RemoteEngine)
    assert not isinstance(new_engine(wanted_by(Settings())), RemoteEngine)
    _, problems = config.read({"httpDialect": "grpc"}, Settings())
    assert "mistralLsp.httpDialect" in problems[0]


@pytest.mark.parametrize(
    ("engine", "address", "asks"),
    [
        ("auto", "http://localhost:1", True),
        ("auto", " ", False),
        ("http", "", True),
        ("llama_cpp", "http://localhost:1", False),
        ("scripted", "http://localhost:1", False),
    ],
)
def test_an_address_alone_chooses_the_server_unless_an_engine_is_named(
    engine, address, asks
) -> None:
    wanted = wanted_by(Settings(engine=engine, http_url=address))
    assert isinstance(wanted, Wanted) is asks


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "gopher://localhost:1"), ("SSL_CERT_FILE", "/none/certificates.pem")],
)
async def test_a_wrong_environment_is_named(name, value, monkeypatch) -> None:
    monkeypatch.setenv(name, value)
    engine = RemoteEngine(wanted("https://localhost.example.com:1"))
    engine.start()
    with pytest.raises(EngineError, match=rf"{name}.*restart the editor"):
        await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
    await engine.close()
