"""Scans a workspace full of secrets as the server does; no prompt contains a secret."""

from __future__ import annotations

import random
import string
from pathlib import Path

from mistral_lsp import languages
from mistral_lsp.completion import pipeline
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.config import Settings
from mistral_lsp.context import scan, walk
from mistral_lsp.context.index import Index
from mistral_lsp.context.recent import Recent
from mistral_lsp.document import Document
from tests.support.engine import PlayedEngine
from tests.unit.test_secrets import seeds

HIDDEN_FILES = (
    ".env",
    ".env.production",
    "app.env",
    "certs/server.pem",
    "certs/server.key",
    ".ssh/id_rsa",
    "id_ed25519",
    ".aws/credentials",
    ".netrc",
    ".npmrc",
    "secrets.py",
    "conf/credentials.py",
    "local_settings.py",
    "generated/tokens.py",
    "src/private/keys.py",
    "linked.py",
)
SECRETS_OF_A_FILE = 20


def plain(chance: random.Random) -> str:
    """Draws a secret that looks like an ordinary name."""
    return "".join(chance.choice(string.ascii_lowercase) for _ in range(14))


def seeded(folder: Path, chance: random.Random) -> tuple[list[str], list[str]]:
    """Fills a workspace with secrets.

    Gives the secrets in files that must not be read, and those in ordinary files.
    """
    outside = folder.parent / "outside.py"
    hidden = []
    for name in HIDDEN_FILES:
        found = [plain(chance) for _ in range(SECRETS_OF_A_FILE)]
        hidden += found
        path = folder / name if name != "linked.py" else outside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"def connect(given={one!r}): return {one}\n" for one in found))
    (folder / "linked.py").symlink_to(outside)
    (folder / ".gitignore").write_text("local_*.py\n/generated/\n")
    (folder / "src" / ".gitignore").write_text("private/\n")
    spread = seeds(chance)
    for place in range(0, len(spread), 30):
        lines = [line for _, line in spread[place : place + 30]]
        body = "".join(f"    {line}\n" for line in lines)
        (folder / f"src/client{place}.py").write_text(f"def connect{place}(base):\n{body}\n")
    return hidden, [secret for secret, _ in spread]


async def test_no_prompt_of_a_seeded_workspace_shows_a_secret(tmp_path) -> None:
    folder = tmp_path / "work"
    hidden, spread = seeded(folder, random.Random(5))
    assert len(hidden) + len(spread) >= 500
    index = Index()
    for path in walk.walk(folder):
        found = scan.read(folder, path)
        if found is not None:
            index.put(found, folder)
    recent = Recent()
    for name in HIDDEN_FILES:  # that the user looks at one is no reason to tell of it elsewhere
        text = (folder / name).read_text()
        file = Document(f"file:///{name}", name, languages.find("python"), 1, text).snapshot()
        recent.note(file, len(text) // 2)
    engine = PlayedEngine("value\n")
    names = [*HIDDEN_FILES, *(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))]
    for name in names:
        if "local_" in name or "generated" in name or "private" in name or "linked" in name:
            continue  # what the user opens by hand is what he works on
        text = "connect0(connect(\n" + (folder / name).read_text()
        snapshot = Document(f"file:///{name}", name, languages.find("python"), 1, text).snapshot()
        for offset in (len("connect0("), len("connect0(connect("), len(text) // 2, len(text)):
            request = Request(snapshot, offset, "invoked", Settings())
            workbench = Workbench(engine, index=index, recent=recent, interactive=False)
            await pipeline.complete(request, workbench)
    shown = "".join(part.text for prompt in engine.prompts for part in prompt.parts)
    assert len(engine.prompts) >= 50 and "def connect0" in shown
    assert [secret for secret in hidden + spread if secret in shown] == []
