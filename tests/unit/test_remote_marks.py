"""Marks that a server sends as text: the answer ends there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from itertools import pairwise

import pytest

from mistral_lsp.engine.remote.dialects.up_to_mark import UpToMark
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.models.marks import spelt_in
from mistral_lsp.types import Decoding
from tests.contract.contract import MOST, Contract, events, prompt
from tests.contract.openai import VLLM
from tests.contract.others import TGI, details, token
from tests.support.played_server import Reply, playing
from tests.support.servers_page import wanted_from
from tests.support.waiting import PATIENCE_SECONDS

MARKS = list(spelt_in("qwen2.5-coder").values())


def read(*pieces: str) -> str:
    shown, text = UpToMark(MARKS), ""
    for number, piece in enumerate(pieces):
        text += shown.read(piece, is_last=number == len(pieces) - 1)
        if shown.is_over:
            break
    return text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b", "a < b"),
        ("a <|file_sep|> b <|fim_prefix|>", "a "),
        ("a <|<|repo_name|>", "a <|"),
        ("a <|fim_", "a <|fim_"),
        ("<|fim_middle|>", ""),
    ],
)
def test_an_answer_ends_at_its_first_mark_however_it_is_cut(text, shown) -> None:
    assert read(text) == read(*text) == shown
    for cuts in ((0, one, two, len(text)) for one in range(len(text)) for two in range(one)):
        assert read(*(text[start:end] for start, end in pairwise(sorted(cuts)))) == shown


def test_a_text_that_can_be_no_mark_is_shown_at_once() -> None:
    shown = UpToMark(MARKS)
    assert [shown.read(one, False) for one in ("a <", "b", "<|f", "or")] == [
        "a ",
        "<b",
        "",
        "<|for",
    ]


async def answer_of(server: str, contract: Contract, stream: Reply) -> tuple[list[str], int]:
    with playing(replace(contract, stream=stream)) as played:
        engine = RemoteEngine(wanted_from(server, played), pace=Pace(retries=()))
        engine.start()
        try:
            await asyncio.wait_for(engine.ready(), PATIENCE_SECONDS)
            answer = engine.generate(prompt(contract.form), Decoding(MOST))
            return [piece.text async for piece in answer], answer.usage.generated_tokens
        finally:
            await engine.close()


async def test_a_stop_string_of_tgi_is_not_shown() -> None:
    end = token("sep>", -0.1, generated_text="", details=details("stop_sequence", 4))
    stream = events(token("s", -0.1), token(" <", -0.1), token("file_", -0.1), end, done=False)
    assert await answer_of("TGI", TGI, stream) == (["s", " "], 4)


async def test_a_mark_that_is_no_stop_string_ends_the_answer_too() -> None:
    said = [{"choices": [{"text": text}]} for text in ("s", "<|repo_name|>", "other/repository")]
    assert "<|repo_name|>" not in json.dumps(VLLM.sent)
    texts, tokens = await answer_of("vLLM", VLLM, events(*said))
    assert texts == ["s"] and tokens < MOST, "it ended by itself"
