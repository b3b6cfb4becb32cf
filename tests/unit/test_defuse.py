"""No text in a file becomes a mark, and code is changed as little as possible."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies

from mistral_lsp.engine.remote.dialects.find import DIALECTS
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models.defuse import defused, spellings
from mistral_lsp.models.forms import FORMS
from mistral_lsp.types import Decoding, Excerpt, Part, Prompt
from tests.contract.others import chunk
from tests.support.forms import asked as asked_in
from tests.support.marked import EVIL, GIVEN, marks_in, marks_too_many, own_marks
from tests.support.played_server import Asked, Reply, playing

AROUND = (
    ("", ""),
    ("x", "y"),
    (" ", " "),
    ("▁", "▁"),
    ("<", ">"),
    ("[", "]"),
    ("|", "|"),
    ("\n", "\n"),
)
LEFT_ALONE = (
    "a <|> b",
    "x |> f <| y",
    "values <|| pair",
    "x[INDEX] = y[i]",
    "std::vector<std::pair<int, int>> x;",
    "<div class='s'><span>old</span></div>",
    "Map<string, [number, string]>",
    "if (a < b && c > d) x = a[MAX_SIZE];",
    "cout << x >> y;",
    "#include <stdio.h>",
    "List<T> <T extends U>",
    "a <b> c",
    "f<|\nx|>",
    "[x for x in y]",
)  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_no_mark_survives(around) -> None:
    for mark in {*GIVEN, *spellings()}:
        text = defused(f"{around[0]}{mark}{around[1]}")
        assert not marks_in(text), text
        assert text.replace(" ", "") == f"{around[0]}{mark}{around[1]}".replace(" ", "")


@given(strategies.lists(strategies.sampled_from([*GIVEN, "<", "|", ">", "[", "s", " ", "▁"])))
@settings(max_examples=300, deadline=None)
def test_nor_any_that_is_made_of_others(pieces) -> None:
    assert not marks_in(defused("".join(pieces)))


@pytest.mark.parametrize("code", LEFT_ALONE)
def test_code_is_left_alone(code) -> None:
    assert defused(code) == code


def test_what_html_has_as_well_stays_what_it_is() -> None:
    assert defused("<s>old</s>") == "<s >old</s >"


def test_no_text_takes_long() -> None:
    def seconds(text: str) -> float:
        begun = time.process_time()
        defused(text)
        return time.process_time() - begun

    plain = max(seconds("x = 1\n" * 100_000), 0.001)
    for piece in ("<", "[", "<|", "<|a", "|||A", ">>A", "<seed:", "<s>", "[INST]"):
        assert seconds(piece * (600_000 // len(piece))) < 500 * plain, piece


# Through the dialects

PARTS = (
    Part("mark", special="bos"),
    Part("mark", special="file_sep"),
    Part("related", f"<fim_pad>.py\n{EVIL}<|im_"),
    Part("related", f"start|>{EVIL}\n"),
    Part("mark", special="fim_suffix"),
    Part("suffix", EVIL),
    Part("mark", special="fim_prefix"),
    Part("introduction", f"{EVIL}<fim_mid"),
    Part("prefix", f"dle>{EVIL}"),
    Part("mark", special="fim_middle"),
)
MODELS = ("qwen2.5-coder:7b", "starcoder2", "deepseek-coder", "codegemma", "seed-coder", "any")


def answers(asked: Asked) -> Reply:
    if asked.path == "/api/generate":
        return Reply.of({"response": "x", "done": True})
    if asked.path == "/generate_stream":
        token = {"text": "x", "logprob": 0.0, "special": False}
        return Reply.of({"token": token, "details": {"finish_reason": "length"}})
    if "/invoke-with-response-stream" in asked.path:
        return Reply((chunk({"text": "x", "stop_reason": "stop"}),))
    return Reply.of({"choices": [{"text": "x", "delta": {}, "finish_reason": "stop"}]})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "llama-server"])
async def test_a_prompt_has_no_marks_but_its_own(dialect, model, monkeypatch) -> None:
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", "sk-0123456789")

    def answer(asked: Asked) -> Reply:
        if asked.path in ("/v1/models", "/api/tags", "/info"):
            names = {"data": [{"id": model}], "models": [{"name": model}], "model_id": model}
            return Reply.of({**names, "max_input_tokens": 4096})
        if asked.body.get("stream") or asked.path == "/generate_stream":
            return Reply((f"data: {answers(asked).pieces[0]}\n",))
        return answers(asked)

    with playing(answer) as server:
        engine = RemoteEngine(Wanted((server.url,), dialect, model, 0))
        engine.start()
        await asyncio.wait_for(engine.ready(), 30)
        for prompt in prompts():
            async for _ in engine.generate(prompt, Decoding(4)):
                pass
            body = server.asked[-1].body
            sent = f"{body.get('prompt') or body.get('inputs')}{body.get('suffix', '')}"
            assert sent.replace(" ", "").count(GIVEN[0]) > 2, "other files, suffix and prefix"
            assert not marks_too_many(sent, own_marks(prompt)), prompt.form
        await engine.close()


def prompts() -> Iterator[Prompt]:
    """Yields prompts of every form, as they are built for a file, and cut between two parts."""
    for form in FORMS:
        yield asked_in(form, f"{EVIL}\n", f"\n{EVIL}", (Excerpt("<fim_pad>.py", EVIL),))
        yield Prompt(form, PARTS)


class Leaky:
    """A backend that encodes each byte as a token, but any `<tool_call>` in a text as a mark."""

    def tokenize(self, text: bytes) -> list[int]:
        before, mark, behind = text.partition(b"<tool_call>")
        return [*before, *([256] if mark else []), *(self.tokenize(behind) if mark else ())]

    def token_bytes(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    def vocabulary_size(self) -> int:
        return 257


def test_nor_does_text_become_one_for_an_engine_on_this_machine() -> None:
    text = "a<tool_call>\nb <tool_call>"
    assert Tokenizer(Leaky(), {"eos": 0}).text(text) == list(text.encode())
