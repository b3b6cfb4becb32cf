"""Invisible and control characters reach no editor and no name."""

from __future__ import annotations

import logging

import pytest

from mistral_lsp.completion import pipeline
from mistral_lsp.completion.request import Workbench
from mistral_lsp.text.shown import Formatter, is_unseen, one_line, seen
from tests.support.engine import PlayedEngine
from tests.support.requests import request

UNSEEN = (
    "\x1b", "\x07", "\x08", "\x00", "\x7f", "\x85", "\x9b", "\x0b", "\x0c",
    "\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\u2028", "\u2029", "\u2060",
    "\u00ad", "\ufeff", "\u061c", "\u180e", "\u3164", "\u115f", "\u034f",
    "\U000e0041", "\U000e0100",
)  # fmt: skip
SEEN = ("a", " ", "\t", "\n", "\r\n", "é", "日本", "🦀", "❤\ufe0f", "\u00a0", "ﬁ", "\ue0b0", "→")


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
@pytest.mark.parametrize("far", ["", "é = 1\n" * 2_000])
async def test_an_answer_with_it_is_dropped(character, far) -> None:
    """The file has another invisible character near the cursor, and maybe `character` far away."""
    other = "\u200c" if character != "\u200c" else "\u200b"
    asked = request(f"{character * bool(far)}\n{far}# {other}\nvalue = ")
    done = await pipeline.complete(asked, Workbench(PlayedEngine(f"1 + {character}total\n")))
    assert (done.text, done.reason) == ("", "the answer has characters that can't be seen")


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
async def test_what_the_file_has_near_the_cursor_is_the_users_own(character) -> None:
    asked = request(f"s = '{character}'\nvalue = ")
    done = await pipeline.complete(asked, Workbench(PlayedEngine(f"1 + {character}total\n")))
    assert done.text.startswith("1 +")


async def test_nothing_of_it_is_shown_while_it_streams() -> None:
    shown: list[str] = []
    engine = PlayedEngine("1 + \x1b[31mtotal\n", pause=0.001)
    await pipeline.complete(
        request("value = "), Workbench(engine), lambda done: shown.append(done.text)
    )
    assert shown and not any(is_unseen(one) for text in shown for one in text)


@pytest.mark.parametrize("text", SEEN, ids=ascii)
async def test_what_is_seen_is_shown(text) -> None:
    assert seen(text) == text
    done = await pipeline.complete(
        request("value = "), Workbench(PlayedEngine(f"'{text.strip()}'\n"))
    )
    assert done.text == f"'{text.strip()}'"


def test_a_name_is_one_short_line() -> None:
    assert one_line("a\n\t b\x1b[2J\u202ec") == "a b[2Jc"
    assert one_line("x" * 10_000_000, 10) == "x" * 9 + "…"
    assert one_line(" " * 10_000_000 + "x", 10).strip("…") == ""
    assert one_line("x" * 10, 10) == "x" * 10


def test_a_line_of_the_log_holds_nothing_unseen() -> None:
    record = logging.LogRecord("a", 20, "", 0, "model %s\nis here", ("x\x1b[2J\u202ey",), None)
    assert Formatter("%(message)s").format(record) == "model x[2Jy\nis here"
