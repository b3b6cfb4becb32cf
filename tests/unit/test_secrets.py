"""Secrets in ordinary files: no prompt contains them, and other code stays unchanged."""

from __future__ import annotations

import base64
import random
import string
import sysconfig
import time
from itertools import count
from pathlib import Path

import pytest

from mistral_lsp import languages
from mistral_lsp.completion import pipeline
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.config import Settings
from mistral_lsp.context.definitions import read_definitions
from mistral_lsp.context.index import Index
from mistral_lsp.document import Document
from mistral_lsp.prompt.blotting.reading import read_line
from mistral_lsp.prompt.secrets import BLOT, blot, find_secrets
from tests.support.engine import PlayedEngine

SEEDED = 600
LETTERS = string.ascii_letters + string.digits


def seeds(chance: random.Random) -> list[tuple[str, str]]:
    """Draws secrets, each with a line of code that contains it."""

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
            await pipeline.complete(request, Workbench(engine, index=index, interactive=False))
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


@pytest.mark.parametrize(
    ("style", "text", "seen"),
    [
        ("code", 'password = "Hunt" "er2"', 'password = "xxxxxxxx" "xxxxxxxx"'),
        ("code", "user, password = 'me', 'Hunter2'", "user, password = 'me', 'xxxxxxxx'"),
        ("code", 'if password == "":', 'if password == "":'),
        ("code", 'p = environ["DB_PASSWORD"]', 'p = environ["DB_PASSWORD"]'),
        ("code", "password = f'{stored}'", "password = f'{stored}'"),
        ("code", 'while token.text != "(":', 'while token.text != "(":'),
        ("code", "def check(password: str, again: str): pass", None),
        ("code", "TOKEN_TYPES = {'string': 1, 'number': 2}", None),
        ("code", 'label(password="Enter your password")', None),
        ("code", 'fetch(url, { credentials: "include" })', None),
        ("code", "https://unpkg.com/@scope/name@1.2.3/dist/index.js", None),
        ("code", "integrity: sha512-T9q82TJI9e1C1TAxYvfb16xO120tMVFZrGA3f9gh8jK3lM==", None),
        ("config", "password: ${DB_PASSWORD}", None),
        ("config", "password: ${DB_PASSWORD:-hunter2}", "password: ${DB_PASSWORD:-xxxxxxxx}"),
        ("config", "password:\n  hunter2\nname: me", "password:\n  xxxxxxxx\nname: me"),
        ("config", "secret:\n  secretName: web", None),
        ("config", "max_tokens: 4096", None),
        ("config", "passwords:\n  - one1\n  - two2", "passwords:\n  - xxxxxxxx\n  - xxxxxxxx"),
        ("config", "proxy_pass http://backend;", None),
        ("shell", "X=$PASSWORD run --token $TOKEN", None),
        ("shell", "PASSWORD=hunter2 run", "PASSWORD=xxxxxxxx run"),
        ("prose", "The password is required.", None),
        ("prose", "The password is hunter2.", "The password is xxxxxxxx"),
        ("prose", "Basic authentication needs a bearer token.", None),
    ],
)
def test_what_is_blotted_and_what_is_not(style, text: str, seen: str | None) -> None:
    assert blot(text, style) == (text if seen is None else seen)
    assert blot(blot(text, style), style) == blot(text, style)


PIECES = (
    *("-eyJaaaaaaaa", "eyJ.", "password=", "password='", "password: |", "password, ", "token "),
    *("${PASSWORD:", "api_key", "://a:b@", "authorization: a ", "-u a:", "mysql -p", "echo a |"),
    *("insert into a (b) values (", "connect(a,", "login('a',", "<password>", "name='password' "),
    *(
        "password: Optional[",
        "password if x else ",
        "password = str(",
        "-----BEGIN PRIVATE KEY-----",
    ),
    *("ghp_", "sk-a-", "SG.aaaaaaaa.", "$2$", "deadbeef1", "f81d4fae-", "/", "--", "'", '"', "\\'"),
    *("hooks.slack.com/services/", "machine a login b password c ", "password = 'a' + 'b' ", " "),
)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("style", ["code", "config", "prose"])
def test_no_text_takes_more_than_its_length(piece: str, style) -> None:
    """A quadratic pattern would take 64 times as long for a text eight times as long."""

    numbers = count()

    def seconds(length: int) -> float:
        text = f"{next(numbers)} {piece * (length // len(piece) + 1)}"[:length]  # not seen before
        started = time.process_time()
        find_secrets(text, style, length)
        return time.process_time() - started

    short = max(0.002, min(seconds(5_000) for _ in range(3)))
    assert min(seconds(40_000) for _ in range(2)) < 24 * short


def found_line_by_line(text: str, style, cursor: int | None) -> list[tuple[int, int]]:
    """Reads every line anew, from the first to the last."""
    found, state, start = [], None, 0
    for line in text.split("\n"):
        here = cursor - start if cursor is not None and 0 <= cursor - start <= len(line) else None
        spans, state = read_line(line, style, here, state)
        found += [(start + first, start + last) for first, last in spans]
        start += len(line) + 1
    return found


@pytest.mark.parametrize("style", ["code", "config", "shell", "prose"])
def test_what_is_kept_of_other_lines_changes_nothing(style) -> None:
    chance = random.Random(1)
    for _ in range(20):
        text = "\n".join(chance.choices([*PIECES, "", "x = 1", "  value: |", "    abc"], k=40))
        for cursor in (None, 0, len(text), *(chance.randrange(len(text)) for _ in range(20))):
            assert find_secrets(text, style, cursor) == found_line_by_line(text, style, cursor)


def test_hardly_a_line_of_a_library_is_touched() -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    lines = [
        line
        for path in sorted(library.glob("*.py"))
        for line in path.read_text("utf-8", "replace").splitlines()
    ]
    touched = [line for line in lines if blot(line) != line]
    assert len(lines) > 50_000 and len(touched) < len(lines) / 2_000, touched
