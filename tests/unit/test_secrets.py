"""Secrets in ordinary files: no prompt shows them, and code is left as it is."""

from __future__ import annotations

import base64
import random
import string
import sysconfig
from pathlib import Path

import pytest

from mistral_lsp import languages, pipeline
from mistral_lsp.config import Settings
from mistral_lsp.context.definitions import read_definitions
from mistral_lsp.context.index import Index
from mistral_lsp.document import Document
from mistral_lsp.prompt.secrets import BLOT, blot
from mistral_lsp.stages import Request, Stages
from tests.support.engine import PlayedEngine

SEEDED = 600
LETTERS = string.ascii_letters + string.digits


def seeds(chance: random.Random) -> list[tuple[str, str]]:
    """Secrets, and lines of code that hold them."""

    def drawn(length: int, characters: str = LETTERS) -> str:
        return "".join(chance.choice(characters) for _ in range(length))

    found = []
    for number in range(SEEDED // 10):
        for secret, line in (
            (one := f"AKIA{drawn(16, string.ascii_uppercase + string.digits)}", f"key = '{one}'"),
            (one := f"ghp_{drawn(36)}", f"use('{one}')"),
            (one := f"sk-proj-{drawn(40)}", f'client = Client("{one}")'),
            (one := f"xoxb-{drawn(11, string.digits)}-{drawn(24)}", f"slack({one!r})"),
            (one := f"hunter{number}!{drawn(3)}", f'password = "{one}"'),
            (one := f"pass{number}{drawn(4)}", f"url = 'postgres://me:{one}@host/base'"),
            (one := drawn(64, "0123456789abcdef"), f'SIGNING = bytes.fromhex("{one}")'),
            (one := f"eyJ{drawn(20)}.eyJ{drawn(40)}.{drawn(43)}", f"token = '{one}'"),
            (
                one := base64.b64encode(chance.randbytes(60)).decode(),
                f'SEED = "{one}"',
            ),
        ):
            found.append((secret, line))
        found.append((one := drawn(40), f'use({{"api_key": "{one}"}})'))
    return found


async def test_no_prompt_shows_a_secret() -> None:
    chance = random.Random(11)
    hidden = seeds(chance)
    assert len(hidden) == SEEDED
    index, prompts = Index(), []
    language = languages.find("python")
    for place in range(0, len(hidden), 20):
        lines = [line for _, line in hidden[place : place + 20]]
        body = "\n".join(f"    {line}" for line in lines)
        other = f"def connect{place}(given={lines[0].partition('=')[2] or None}):\n{body}\n    "
        text = f"from other import connect{place - 20}\n{other}\nlast = 1\n"
        snapshot = Document("file:///a.py", f"a{place}.py", language, 1, text).snapshot()
        engine = PlayedEngine("x = 1\n")
        for offset in (len(text), text.index("\n", 60), len(text) // 2):
            request = Request(snapshot, offset, "invoked", Settings())
            await pipeline.complete(request, Stages(engine, index=index, interactive=False))
        prompts += engine.prompts
        tree = snapshot.tree
        assert tree is not None
        index.put(read_definitions(snapshot.path, text, tree))
    shown = "".join(part.text for prompt in prompts for part in prompt.parts)
    assert "connect0" in shown and shown.count(BLOT) >= SEEDED
    assert [secret for secret, _ in hidden if secret in shown] == []


@pytest.mark.parametrize(
    "line",
    [
        "token = tokens[place]",
        'password = getpass("Password: ")',
        "sha256_of_something_else_2 = digest(data)",
        "from collections.abc import AsyncIterator2WithALongName",
        "self._token_range = '%d,%d-%d,%d' % (start + end)",
        "/usr/lib/x86_64-linux-gnu/python3.11/config-3.11-x86_64",
        "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd",
        "headers['x-api-key'] = key",
        "123456789012345678901234567890",
    ],
)
def test_code_is_left_as_it_is(line: str) -> None:
    assert blot(line) == line


def test_hardly_a_line_of_a_library_is_touched() -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    lines = [
        line
        for path in sorted(library.glob("*.py"))
        for line in path.read_text("utf-8", "replace").splitlines()
    ]
    touched = [line for line in lines if blot(line) != line]
    assert len(lines) > 50_000 and len(touched) < len(lines) / 2_000, touched
