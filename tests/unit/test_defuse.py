"""No text in a file becomes a mark, and code is changed as little as possible."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from mistral_lsp.engine.remote.dialects.find import DIALECTS
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models.defuse import defused, spellings
from mistral_lsp.models.marks import MARKS
from mistral_lsp.types import Decoding, Part, Prompt
from tests.contract.others import chunk
from tests.support.played_server import Asked, Reply, playing

GIVEN_LINES = (
    "</s> <s> <unk> <pad> <bos> <eos> <|endoftext|> <|im_start|> <|im_end|> <|eot_id|>",
    "<|begin_of_text|> <|start_header_id|> <|fim_pad|> <|repo_name|> <|file_sep|>",
    "[TOOL_CALLS] [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS]",
    "[SYSTEM_PROMPT] [IMG] [PREFIX] [SUFFIX] [MIDDLE] <filename> <reponame> <gh_stars>",
    "<issue_start> <jupyter_code> <commit_msg> <file_sep> <repo_name>",
    "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜tool▁calls▁begin｜> <|EOT|>",
    "<PRE> ▁<PRE> ▁<SUF> ▁<MID> ▁<EOT> <EOT> <start_of_turn> <end_of_turn> <tool_call>",
    "</tool_call> <think> </think> <[fim-prefix]> <[end▁of▁sentence]> <unused42>",
    "<extra_id_7> <SPECIAL_12> <|reserved_special_token_9|> <<SYS>> <</SYS>> >>PREFIX<<",
    "|<end>| <|mask:0|> <|code_suffix|> <|user|> <seed:bos> |||EMAIL_ADDRESS|||",
)
GIVEN = [mark for line in GIVEN_LINES for mark in line.split()]
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


def marks_in(text: str) -> list[str]:
    return [mark for mark in {*GIVEN, *spellings()} if mark in text]


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

EVIL = "".join(GIVEN)
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
FORMS = ("suffix-first", "prefix-first", "codellama", "instructed", "plain")
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
        for form in FORMS:
            async for _ in engine.generate(Prompt(form, PARTS), Decoding(4)):
                pass
        await engine.close()
    assert len([asked for asked in server.asked if looked_through(asked.body)]) == len(FORMS)


def looked_through(body: Any) -> bool:
    """Looks for marks in a request for a completion; False if it is another one."""
    sent = f"{body.get('prompt') or body.get('inputs')}{body.get('suffix', '')}" if body else ""
    if EVIL[:3] not in sent.replace(" ", ""):
        return False
    for own in (*MARKS, "<s>"):
        sent = sent.replace(own, "", 1) if sent.count(own) == 1 else sent
    assert not marks_in(sent)
    return True


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
