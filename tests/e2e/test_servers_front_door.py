"""Each server of docs/SERVERS.md, from its three lines of settings to ghost text in an editor.

The server is played as in tests/contract, by its published API.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.contract import KEY, PREFIX, SUFFIX
from tests.contract.llama import SAID
from tests.contract.servers import PLAYED
from tests.support import servers_page
from tests.support.marked import GIVEN, marks_too_many
from tests.support.played_llama import BOS, MARKS, PlayedModel
from tests.support.played_server import PlayedServer, playing

CLEAN, MARKED = "file:///project/clean.py", "file:///project/marked.py"
OWN = ("bos", "fim_prefix", "fim_suffix", "fim_middle", "file_sep", "inst", "inst_end")
"""The marks of our own that a prompt may have once."""
LINES = "".join(f"# {mark}\n" for mark in (*GIVEN, *MARKS))
BACKWARDS = "".join(f"# {mark}\n" for mark in (*MARKS, *GIVEN))
"""Those of a played llama-server are nearest to the cursor, since its window is small."""


@pytest.mark.parametrize("server", servers_page.blocks())
def test_three_lines_give_ghost_text_and_no_mark_of_a_file_survives(
    server, start, monkeypatch
) -> None:
    monkeypatch.setenv("MISTRAL_LSP_API_KEY", KEY)
    with playing(PLAYED[server]) as played:
        client = start(engine=None)
        client.initialize(servers_page.lines_for(server, played))
        status = client.wait_until_ready()
        assert status["host_pid"] is None, "no model of this machine is loaded"
        client.open(CLEAN, f"{PREFIX}{SUFFIX}")
        [item] = client.items(client.ask(CLEAN, 1, 4))
        assert item["insertText"] == "s += x"
        before = len(played.asked)
        client.open(MARKED, f"{LINES}{PREFIX}\n{BACKWARDS}{SUFFIX}")
        client.items(client.ask(MARKED, LINES.count("\n") + 1, 4))
        assert client.close() == 0
        prompts = [prompt for body in bodies(played, before) if (prompt := prompt_in(body))]
    for prompt in prompts:
        assert not surviving(prompt)
    assert any(is_of_file(prompt) for prompt in prompts)


def bodies(played: PlayedServer, start: int) -> list[dict[str, Any]]:
    return [asked.body for asked in played.asked[start:] if asked.body]


def prompt_in(body: dict[str, Any]) -> Any:
    """Gives the prompt of a request: token ids from llama-server's dialect, else the text."""
    prompt = body.get("prompt") or body.get("inputs") or ""
    return f"{prompt}{body.get('suffix', '')}" if isinstance(prompt, str) else prompt


def surviving(prompt: Any) -> list[Any]:
    if isinstance(prompt, str):
        return marks_too_many(prompt, OWN)
    return [number for number in prompt if number >= BOS and prompt.count(number) > 1]


def is_of_file(prompt: Any) -> bool:
    """Whether a prompt has the marked lines on both sides of the cursor."""
    if isinstance(prompt, str):
        return prompt.count("< fim_middle>") >= 2
    return "".join(map(chr, (n for n in prompt if n < BOS))).count("<fim_middle>") >= 2


def test_a_llama_server_that_reads_marks_in_plain_text_gets_none(start) -> None:
    """Such a model has its marks as user-defined tokens, which llama.cpp parses in any text."""
    with playing(PlayedModel(*SAID.said, leaky=True)) as played:
        client = start(engine=None)
        client.initialize(servers_page.lines_for("llama-server", played))
        client.wait_until_ready()
        client.open(MARKED, f"{LINES}{PREFIX}\n{BACKWARDS}{SUFFIX}")
        client.items(client.ask(MARKED, LINES.count("\n") + 1, 4))
        client.close()
        prompts = [body["prompt"] for body in bodies(played, 0) if "n_predict" in body]
    assert any(is_of_file(prompt) for prompt in prompts)
    assert not any(surviving(prompt) for prompt in prompts)
