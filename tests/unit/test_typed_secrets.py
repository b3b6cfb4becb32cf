"""While a secret is typed, no model is called. Prompts near it do not contain it."""

from __future__ import annotations

import pytest

from bench.checks.secrets.__main__ import Listener
from mistral_lsp import languages
from mistral_lsp.completion import explain, pipeline
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.config import Settings
from mistral_lsp.context import scan, walk
from mistral_lsp.context.index import Index
from mistral_lsp.document import Document, Snapshot
from mistral_lsp.prompt.build import build
from mistral_lsp.prompt.secrets import blot
from mistral_lsp.prompt.view import see
from mistral_lsp.prompt.window import Budget, Plan
from mistral_lsp.types import BLOT, Excerpt
from tests.support.engine import PlayedEngine

REASON = "the cursor stands in a secret"
CURSOR = "§"
PEM = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----"
KEY_LINES = ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDJx8Kq3vZ0bT5s", "aB3dE5fG7hJ9kL==")


def opened(marked: str, path: str = "a.py") -> tuple[Snapshot, int]:
    """Gives a snapshot of `marked` without the sign `CURSOR`, and the offset of that sign."""
    language = languages.find("", path)
    text = marked.replace(CURSOR, "", 1)
    snapshot = Document(f"file:///p/{path}", path, language, 1, text).snapshot()
    return snapshot, marked.index(CURSOR)


async def asked(marked: str, path: str = "a.py", trigger="invoked"):
    """Gives the completion at the cursor, and the text of all prompts that the model got."""
    snapshot, offset = opened(marked, path)
    engine = PlayedEngine("x = 1\n")
    request = Request(snapshot, offset, trigger, Settings())
    done = await pipeline.complete(request, Workbench(engine, interactive=False))
    return done, "".join(part.text for prompt in engine.prompts for part in prompt.parts)


TYPED = [
    ("a.py", 'password = "H§', ()),
    ("a.py", 'password = "Hunter2§', ("Hunter2",)),
    ("a.py", 'password = "Hunter2§"', ("Hunter2",)),
    ("a.py", 'password = "Hun§"\nother = 1\n', ("Hun",)),
    ("a.py", 'password = "Hun§ter2"', ("Hun", "ter2")),
    ("a.py", 'password = "§Hunter2"', ("Hunter2",)),
    ("a.py", 'connect("db", password="Hunter2§")', ("Hunter2",)),
    ("a.py", 'password = """Hun§', ("Hun",)),
    ("a.py", 'password = """\nHun§\n"""', ("Hun",)),
    ("a.py", 'password = (\n    "Hun§"\n)', ("Hun",)),
    ("a.py", 'use("ghp_a§")', ("ghp_a",)),
    ("a.py", 'use("sk-proj-aB3§', ("sk-proj-aB3",)),
    ("a.py", 'use("a8F3kQ9zX2§")', ("a8F3kQ9zX2",)),
    ("a.py", 'url = "postgres://me:Hun§', ("Hun",)),
    ("a.py", 'headers = {"Authorization": "Bearer aB3d§"}', ("aB3d",)),
    ("a.py", 'os.environ.get("DB_PASSWORD", "Hun§")', ("Hun",)),
    ("a.py", f'KEY = """{PEM.format("MIIEvQIBADANB§")}"""', ("MIIEvQIBADANB",)),
    ("a.ts", "const password: string = `Hun§`;", ("Hun",)),
    ("a.go", "password := `Hun§", ("Hun",)),
    ("compose.yaml", "password: H§", ()),
    ("compose.yaml", "password: hunter2§", ("hunter2",)),
    ("compose.yaml", "password: |\n  hun§", ("hun",)),
    ("compose.yaml", "  - POSTGRES_PASSWORD=hun§", ("hun",)),
    ("deploy.sh", "export TOKEN=hunt§", ("hunt",)),
    ("deploy.sh", "curl -u me:hun§", ("hun",)),
    ("deploy.sh", "X=${PASSWORD:-hun§}", ("hun",)),
    ("app.ini", "password = correct horse b§", ("correct horse b",)),
    ("pom.xml", "<password>hun§</password>", ("hun",)),
    ("Dockerfile", "ENV DB_PASSWORD hun§", ("hun",)),
]


@pytest.mark.parametrize(("path", "marked", "_"), TYPED)
@pytest.mark.parametrize("trigger", ["automatic", "popup", "invoked"])
async def test_inside_a_secret_no_model_is_asked(path, marked, _, trigger) -> None:
    done, told = await asked(marked, path, trigger)
    reasons = (REASON, "the cursor stands before the rest of a word")
    assert done.text == "" and done.reason in reasons and told == "", done


@pytest.mark.parametrize(("path", "marked", "typed"), TYPED)
def test_even_a_prompt_for_such_a_place_is_without_it(path, marked, typed) -> None:
    snapshot, offset = opened(marked, path)
    plan = Plan(Budget(900, 900), 0, "", "", snapshot.text[offset:], True, 0, offset)
    told = "".join(part.text for part in build("suffix-first", plan, snapshot, offset).parts)
    assert [piece for piece in typed if piece in told] == []


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("a.py", "password = §"),
        ("a.py", 'password = "§'),
        ("a.py", 'password = "Hunter2"§'),
        ("a.py", 'password = "Hunter2"\n§'),
        ("a.py", "password = get§"),
        ("a.py", "token = tokens[pl§"),
        ("a.py", 'name = "Hun§"'),
        ("a.ts", "const password: str§"),
        ("compose.yaml", "password: §"),
        ("compose.yaml", "image: post§"),
        ("deploy.sh", "curl -u $USER:$PASS§"),
    ],
)
async def test_beside_a_secret_the_model_is_asked_without_it(path: str, marked: str) -> None:
    done, told = await asked(marked, path)
    assert done.reason != REASON and told and "Hunter2" not in told
    assert (BLOT in told) is ("Hunter2" in marked)


async def test_the_text_above_stays_the_same_while_a_line_is_typed() -> None:
    above = "import os\nfirst = 1\n"
    line = 'connect("db", user="me", password="Hunter2", port=5432)\nkey = "a8F3kQ9zX2Vb7LmN"\n'
    for place in range(len(line) + 1):
        snapshot, offset = opened(f"{above}{line[:place]}{CURSOR}\nlast = 1\n")
        plan = Plan(Budget(900, 900), 0, "", "", "\nlast = 1\n", True, 0, offset)
        parts = build("suffix-first", plan, snapshot, offset).parts
        texts = {part.label: part.text for part in parts}
        typed = line[:place].rpartition("\n")[0]
        assert texts["prefix"].startswith(above + blot(typed)) and "Hunter2" not in texts["prefix"]
        assert texts["suffix"] == "\nlast = 1\n"


def test_a_window_that_begins_within_a_secret_has_nothing_of_it() -> None:
    key = "\n".join([KEY_LINES[0]] * 20 + [KEY_LINES[1]])
    text = f'a = 1\nKEY = """{PEM.format(key)}"""\nb = 2\n'
    text += 'password = """\nfirst\nsecond\n"""\nc = 3\n'
    snapshot, _ = opened(text + CURSOR)
    secret = {*KEY_LINES, "first", "second"}
    for start in range(0, len(text), 7):
        for end in (min(start + 40, len(text)), len(text)):
            shown = see(snapshot, start, end)
            assert not [line for line in secret if line in shown], (start, shown)
            for place in range(len(KEY_LINES[0]) - 8):
                assert KEY_LINES[0][place : place + 8] not in shown, (start, shown)
    assert see(snapshot, 0, len(text)).count("\n") == text.count("\n"), "lines stay"


def test_an_excerpt_of_a_key_is_told_without_its_beginning() -> None:
    lines = "\n".join([KEY_LINES[0], KEY_LINES[0], KEY_LINES[1]])
    assert blot(f"{lines}\nreturn key\n") == f"{BLOT}\n{BLOT}\n{BLOT}\nreturn key\n"
    quoted = "\n".join(f'    "{line}\\n"' for line in lines.split("\n"))
    assert all(line not in blot(quoted) for line in KEY_LINES)


async def test_what_is_counted_is_without_secrets_too(tmp_path) -> None:
    """Texts are also sent to a model server just to count their tokens."""
    other = f'PASSWORD = "Hunter2"\n\ndef connect(password="Hunter3"):\n    use("{KEY_LINES[0]}")\n'
    (tmp_path / "other.py").write_text(other * 3)
    index, engine = Index(), Listener()
    for path in walk.walk(tmp_path):
        found = scan.read(tmp_path, path)
        assert found is not None
        index.put(found, tmp_path)
    text = "from other import connect\n" + 'password = "Hunter4"\n' * 30 + "connect(\n"
    snapshot, offset = opened(text.replace("connect(\n", f"connect({CURSOR}\n"))
    workbench = Workbench(engine, index=index, interactive=False)
    workbench.recent.note(snapshot, offset)
    request = Request(snapshot, offset, "invoked", Settings())
    explained = await explain.explain(request, workbench)
    told = "\n".join([*engine.heard, *(part["text"] for part in explained["parts"])])
    assert "def connect" in told and BLOT in told
    assert [secret for secret in ("Hunter", KEY_LINES[0][:12]) if secret in told] == []


def test_excerpts_of_other_files_are_without_secrets() -> None:
    snapshot, offset = opened("x = 1\n§")
    plan = Plan(
        Budget(900, 900),
        0,
        "",
        "class A:\n    password = 'Hunter2",
        "",
        True,
        0,
        offset,
        (Excerpt("b.sh", "export PASSWORD=hunter3\n"), Excerpt("c.py", "password = 'Hunter4'")),
    )
    told = "".join(part.text for part in build("suffix-first", plan, snapshot, offset).parts)
    assert told.count(BLOT) == 3 and "unter" not in told
