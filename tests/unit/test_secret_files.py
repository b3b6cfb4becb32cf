"""Secret files and copies of them are recognised by the whole path, in lower or upper case."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.checks.secrets.shapes import FILES
from mistral_lsp import languages
from mistral_lsp.config import Settings
from mistral_lsp.context import gate, walk
from mistral_lsp.context.cursor import read_cursor
from mistral_lsp.context.secret_files import is_secret
from mistral_lsp.document import Document

REASON = "the file looks like one that holds secrets"
TEXT = "value = 1\n"


def refused(path: Path, shown: str | None = None, scheme: str = "file") -> str | None:
    """Gives the reason why nothing is offered in a file, or None.

    `shown` is the file's path in the editor.
    """
    uri = path.as_uri().replace("file:", f"{scheme}:", 1)
    shown = path.name if shown is None else shown
    snapshot = Document(uri, shown, languages.find("", shown), 1, TEXT).snapshot()
    return gate.refuse(snapshot, read_cursor(snapshot, len(TEXT)), Settings(), "invoked")


@pytest.mark.parametrize("path", FILES)
def test_files_of_secrets_are_told(path: str) -> None:
    path = f"/home/me{path[1:]}" if path.startswith("~") else f"/project/{path}"
    assert is_secret(path) and is_secret(path.upper())


@pytest.mark.parametrize("name", [".env", "server.key", "id_rsa", "credentials", ".npmrc"])
@pytest.mark.parametrize(
    "copy",
    [
        "{}~",
        "{}.bak",
        "{}.old",
        "{}.orig",
        ".{}.swp",
        "#{}#",
        ".#{}",
        "{}.1",
        "{}.2026-11-28",
        "{} (1)",
        "{} copy",
        "{}-copy",
        "copy of {}",
        "{}_old",
        "{}.backup.save",
    ],
)
def test_copies_of_them_are_told(name: str, copy: str) -> None:
    assert is_secret(copy.format(name))


@pytest.mark.parametrize("name", [".env.example", ".env.sample", ".env.template", "db.env.dist"])
def test_examples_are_taken_for_what_people_fill_in(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "path",
    [
        "engine/tokens.py",
        "src/token.rs",
        "Token.tsx",
        "password.py",
        "passwords_controller.rb",
        "keyboard.py",
        "tokenizer.json",
        "design-tokens.json",
        "src/history.py",
        "CHANGELOG.md",
        "secretary.md",
        "config.json",
        "compose.yaml",
        ".github/workflows/test.yml",
        "api_key.ts",
        ".config/nvim/init.lua",
        "src/main/resources/application.properties",
        "ssh/client.go",
        ".git/COMMIT_EDITMSG",
        "wireguard/README.md",
        "environment.ts",
        "monkey.py",
        "auth.py",
    ],
)
def test_ordinary_files_are_not(path: str) -> None:
    assert not is_secret(f"/home/me/project/{path}")


def test_a_file_opened_by_itself_is_told_by_its_whole_path() -> None:
    # An editor without a workspace, or with one further down, shows the bare name.
    for path in (
        "/home/me/.ssh/config",
        "/home/me/.aws/credentials",
        "/home/me/.docker/config.json",
    ):
        assert refused(Path(path)) == REASON, path
    assert refused(Path("/home/me/project/config.json")) is None
    assert refused(Path("/home/me/.kube/config"), scheme="vscode-notebook-cell") == REASON


def test_a_link_is_told_by_what_it_leads_to(tmp_path: Path) -> None:
    secret = tmp_path / ".ssh" / "work"
    secret.parent.mkdir()
    secret.write_text(TEXT)
    link, folder = tmp_path / "notes.txt", tmp_path / "docs"
    link.symlink_to(secret)
    folder.symlink_to(secret.parent, target_is_directory=True)
    harmless = tmp_path / ".env"
    harmless.symlink_to(tmp_path / "plain.txt")
    assert refused(link) == REASON and refused(folder / "work") == REASON
    assert refused(harmless) == REASON, "the name tells, too"
    loop = tmp_path / "loop.txt"
    loop.symlink_to(loop)
    assert refused(loop) is None


def test_a_workspace_that_lies_among_secrets_is_not_looked_through(tmp_path: Path) -> None:
    real = tmp_path / "secrets" / "app"
    real.mkdir(parents=True)
    (real / "main.py").write_text("def connect(): pass\n")
    assert list(walk.walk(real)) == [] and not walk.Folder(real).belongs("main.py")
