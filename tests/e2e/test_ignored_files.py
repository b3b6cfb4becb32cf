"""No prompt contains code that git ignores, even if .gitignore files are hostile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.workspaces import OPEN, defines, prompt, until, until_told, wait_for_files, write

SHARED = {"shared.py": defines("shared"), "hidden.py": defines("hidden")}


def above(work: Path) -> None:
    write(work.parent, {".git/HEAD": "", ".gitignore": "hidden.py\n"})


def above_by_folder(work: Path) -> None:
    write(work.parent, {".git/HEAD": "", ".gitignore": "/project/*.py\n!shared.py\n"})


def in_the_repository(work: Path) -> None:
    write(work, {".git/info/exclude": "hidden.py\n"})


def in_the_repository_above(work: Path) -> None:
    write(work.parent, {".git/info/exclude": "project/hidden.py\n"})


def in_a_worktree(work: Path) -> None:
    write(work.parent / "main", {".git/info/exclude": "hidden.py\n"})
    write(work.parent / "main", {".git/worktrees/other/commondir": "../..\n"})
    write(work, {".git": f"gitdir: {work.parent}/main/.git/worktrees/other\n"})


def by_the_user(work: Path) -> None:
    write(Path(os.environ["XDG_CONFIG_HOME"]), {"git/ignore": "hidden.py\n"})


def by_the_users_settings(work: Path) -> None:
    home = Path(os.environ["XDG_CONFIG_HOME"])
    config = f'[user]\n\tname = x\n[Core]\n\texcludesFile = "{home}/mine" ; of mine\n'
    write(home, {"git/config": config, "mine": "hidden.py\n"})


def by_included_settings(work: Path) -> None:
    home = Path(os.environ["XDG_CONFIG_HOME"])
    included = "[core] excludesfile = mine\n"
    config = '[includeIf "gitdir:~/project/"]\n\tpath = more\n'
    write(home, {"git/config": config, "git/more": included})
    write(work, {".git/HEAD": "", "mine": "hidden.py\n"})


def behind_a_byte_order_mark(work: Path) -> None:
    write(work, {".gitignore": "\ufeffhidden.py\n"})


def with_carriage_returns(work: Path) -> None:
    write(work, {".gitignore": "# of mine\r\nhidden.py\r\n"})


def behind_bad_lines(work: Path) -> None:
    write(work, {".gitignore": "!\n[z-a]\nx\\\n[[:nonsense:]]\n[a\n/\nhidden.py\n"})


def by_one_folder_of_several(work: Path) -> None:
    write(work, {"inner/.gitignore": "!*.py\nhidden.py\n"})
    shutil.move(work / "hidden.py", work / "inner" / "hidden.py")


@pytest.mark.parametrize(
    "ignore",
    [
        above,
        above_by_folder,
        in_the_repository,
        in_the_repository_above,
        in_a_worktree,
        by_the_user,
        by_the_users_settings,
        by_included_settings,
        behind_a_byte_order_mark,
        with_carriage_returns,
        behind_bad_lines,
        by_one_folder_of_several,
    ],
)
def test_an_ignored_file_is_told_nowhere(
    start, tmp_path: Path, ignore: Callable[[Path], None]
) -> None:
    work = write(tmp_path / "repository" / "project", SHARED)
    ignore(work)
    client = start()
    client.initialize(root=work.as_uri())
    uri = (work / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 1)
    hidden = next(work.rglob("hidden.py"))
    client.open(hidden.as_uri(), hidden.read_text())
    client.notify("textDocument/didSave", {"textDocument": {"uri": hidden.as_uri()}})
    told = prompt(client, uri)
    assert "def shared_price" in told and "def hidden_price" not in told
    wait_for_files(client, 1)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_folder(path: Path) -> None:
    path.mkdir()


def many_stars(path: Path) -> None:
    path.write_text("*a*a*a*a*a*a*a*a*a*a*a*ab.py\n" * 100 + "**/a/" * 100 + "\n")


def bad_lines(path: Path) -> None:
    path.write_text("!\n\\\n[z-\n[z-a]\n[!\n/\n//\n!/\n[[:x:]]\n\0\n!!\n")


def very_large(path: Path) -> None:
    path.write_bytes(b"nothing.py\n" * 3_000_000 + b"x" * 1_000_000)


def no_text(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 100)


@pytest.mark.parametrize(
    "lay", [a_pipe, a_link, a_folder, many_stars, bad_lines, very_large, no_text]
)
def test_no_file_of_patterns_hides_or_stops_anything(
    start, tmp_path: Path, lay: Callable[[Path], None]
) -> None:
    names = ["shared.py", "a" * 100 + ".py", "aaaa/aaaa.py"]
    work = write(tmp_path / "work", {name: defines("shared") for name in names})
    lay(work / ".gitignore")
    client = start()
    client.initialize(root=work.as_uri())
    client.wait_until_ready()
    uri = (work / "shared.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 3)
    for name in names:
        named = (work / name).as_uri()
        client.open(named, defines("saved"))
        client.notify("textDocument/didSave", {"textDocument": {"uri": named}})
        assert client.ask(named, 0, 3) and client.status()
    until(lambda: "saved_price" in prompt(client, (work / "shared.py").as_uri(), 2, 16))
    wait_for_files(client, 3)
    assert client.close() == 0


@pytest.fixture
def deep_file(tmp_path: Path) -> Iterator[Path]:
    """Gives a file below 990 nested folders; then removes each of them, as shutil.rmtree can't."""
    folders = [tmp_path / "work"]
    for _ in range(990):
        folders.append(folders[-1] / "d")
        folders[-2].mkdir()
    folders[-1].mkdir()
    file = folders[-1] / "shared.py"
    file.write_text(defines("shared"))
    yield file
    shutil.move(file, tmp_path)
    for folder in reversed(folders[1:]):
        folder.rmdir()


def test_a_file_below_very_many_folders_is_known_like_any(start, deep_file: Path) -> None:
    work = write(deep_file.parents[990], SHARED)
    client = start()
    client.initialize(root=work.as_uri())
    uri = (work / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 3)
    until_told(client, uri, "def hidden_price")


def scan_of(client) -> psutil.Process | None:
    children = psutil.Process(client.process.pid).children()
    return next((one for one in children if "mistral_lsp.context.scan" in one.cmdline()), None)


@pytest.mark.parametrize("patterns", ["", "*a*a*a*a*a*a*a*a*a*a*a*ab.py\n" * 1000])
def test_a_scan_ends_with_its_server(start, tmp_path: Path, patterns: str) -> None:
    files = {f"{'a' * 100}{number}.py": defines("shared") * 100 for number in range(2000)}
    work = write(tmp_path / "work", {".gitignore": patterns, **files})
    client = start()
    client.initialize(root=work.as_uri())
    client.open((work / "open.py").as_uri(), OPEN)
    until(lambda: scan_of(client))
    scan = scan_of(client)
    assert scan is not None
    client.kill()
    scan.wait(60)
