"""What a server says is shown, but neither the key nor the code that it was sent."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from urllib.parse import quote

import pytest

from mistral_lsp.engine.remote.echo import repeats, texts_in
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.played_server import Asked, Reply, playing

KEY = "sk-9fQ2xLmZ7pTr4WcB"
CODE = "transfer(amount, account_of_my_customer, 'hunter2 and more')"
PROMPT = Prompt("suffix-first-alone", (Part("prefix", f"def f():\n    {CODE}\n"),))
PATIENCE = 60.0

HALVES = (KEY, KEY[: len(KEY) // 2], KEY[len(KEY) // 2 :], CODE[:20], CODE[20:40], CODE[-18:])
DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "quoted": repr,
    "URL-encoded": lambda text: quote(text, safe=""),
    "every character URL-encoded": lambda text: "".join(f"%{ord(one):02X}" for one in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, behind something": lambda text: base64.b64encode(b"Bearer " + text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(b"?" + text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "JSON-escaped": lambda text: json.dumps(text)[1:-1],
    "all escaped": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "as entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "in capitals": str.upper,
    "with blanks": lambda text: " ".join(text),
    "with dashes": "-".join,
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("half", HALVES)
def test_no_disguise_hides_a_part_of_the_key_or_of_the_code(disguise, half) -> None:
    said = f"failed near {DISGUISES[disguise](half)} in the request"
    assert repeats(said, KEY, [f"def f():\n    {CODE}\n"])


@pytest.mark.parametrize(
    "said",
    [
        "model 'codestral-latest' not found, try pulling it first",
        "This model's maximum context length is 4096 tokens, you asked for 5000",
        "suffix is not supported by this model",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
        "All connection attempts failed",
        "Invalid request: sk is no parameter, amount neither",
        "",
    ],
)
def test_what_helps_is_shown(said) -> None:
    body = {"model": "codestral-latest", "prompt": CODE, "stop": ["<fim_prefix>"], "max_tokens": 4}
    assert not repeats(said, KEY, texts_in(body))


def test_tokens_are_code_too() -> None:
    body = {"prompt": [1024, 51, 18873, 40, 3177], "n_predict": 1}
    assert repeats("can't read [1024, 51, 18873, 40]", "", texts_in(body))
    assert repeats("near private_total", "", texts_in({"content": ["x", -1, "private_total = 1"]}))


@pytest.mark.parametrize("status", [400, 404, 413, 422, 429, 500, 503, 0])
@pytest.mark.parametrize("half", [KEY, KEY[:10], "transfer(amount, account_of_my_custo'"])
async def test_neither_is_in_a_message_or_in_the_log(monkeypatch, caplog, half, status) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", KEY)
    error = {"error": {"message": f"failed near {half}"}}

    def answer(asked: Asked) -> Reply:
        if not asked.body.get("stream"):
            return Reply.of({"choices": [{"text": "x"}]})
        return Reply.of(error, status) if status else Reply((f"data: {json.dumps(error)}\n",))

    with playing(answer) as server:
        engine = RemoteEngine(Wanted((server.url,), "mistral", "", 0), pace=Pace(retries=()))
        engine.start()
        await asyncio.wait_for(engine.ready(), PATIENCE)
        with pytest.raises(EngineError, match=server.url) as raised:
            await asyncio.wait_for(anext(aiter(engine.generate(PROMPT, Decoding(8)))), PATIENCE)
        shown = f"{raised.value} {engine.message} {caplog.text}"
        await engine.close()
    assert half not in shown and "near" not in shown
