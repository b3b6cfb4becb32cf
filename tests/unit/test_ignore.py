"""We ignore the files that git ignores, including those ignored by the user's git settings."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from mistral_lsp.context.git_settings import read_settings, repository
from mistral_lsp.context.ignore import Ignored
from mistral_lsp.context.walk import Folder, walk
from tests.support.workspaces import write

LINES = (
    *("a.py", "/a.py", "x/", "/x/", "x/a.py", "**/y/b.py", "y/**", "*.py", "b.*"),
    *("!a.py", "!b.py", "!x/", "!/x/y/", "!*.py", "/*", "!/x", "x", "y/*", "!y/a.py"),
)
FOLDERS = ("", "x", "y", "x/x", "x/y", "y/x", "y/y", "x/y/x")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes an empty home folder, without any git settings."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    return folder


def some_lines(chance: random.Random) -> str:
    return "".join(f"{line}\n" for line in chance.sample(LINES, chance.randint(0, 4)))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("seed", range(6))
def test_git_ignores_the_same_files(tmp_path: Path, home: Path, seed: int) -> None:
    """Compares our files with git's, for a repository and for its folder `x` as a workspace."""
    chance = random.Random(seed)
    top = tmp_path / "top"
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    files = [f"{folder}/{name}".lstrip("/") for folder in FOLDERS for name in ("a.py", "b.py")]
    for _ in range(12):
        write(top, dict.fromkeys(files, "x = 1\n"))
        write(home, {".gitconfig": "[core]\nexcludesFile = ~/mine\n", "mine": some_lines(chance)})
        patterns = {f"{folder}/.gitignore".lstrip("/"): some_lines(chance) for folder in FOLDERS}
        write(top, {**patterns, ".git/info/exclude": some_lines(chance)})
        command = ["git", "-C", str(top), "check-ignore", "--stdin", "--no-index"]
        asked = subprocess.run(
            command, input="\n".join(files), capture_output=True, text=True, check=False
        )
        expected = set(files) - set(asked.stdout.split("\n"))
        assert set(walk(top)) == expected
        assert {path for path in files if Folder(top).belongs(path)} == expected
        inner = {path[2:] for path in expected if path.startswith("x/")}
        assert set(walk(top / "x")) == inner


def test_patterns_are_read_again_once_they_change(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "a.py\n"})
    assert Ignored(tmp_path).ignores("a.py")
    write(tmp_path, {".gitignore": "b.py\n"})
    os.utime(tmp_path / ".gitignore", ns=(1, 1))
    assert not Ignored(tmp_path).ignores("a.py") and Ignored(tmp_path).ignores("b.py")
    (tmp_path / ".gitignore").unlink()
    assert not Ignored(tmp_path).ignores("b.py")


def test_a_repository_in_a_repository_has_patterns_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {".git/info/exclude": "a.py\n", "inner/.git/info/exclude": "/b.py\n"})
    write(tmp_path, {"inner/c.py": "", "inner/b.py": "", "inner/a.py": "", "b.py": ""})
    assert set(walk(tmp_path)) == {"b.py", "inner/c.py"}
    assert set(walk(tmp_path / "inner")) == {"a.py", "c.py"}


def test_above_a_repository_nothing_is_looked_for(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*\n", "work/.git/HEAD": "", "work/a.py": ""})
    assert set(walk(tmp_path / "work")) == {"a.py"}


def test_a_folder_that_is_ignored_has_no_files_of_which_is_told(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", ".gitignore": "/built/\n", "built/in/a.py": ""})
    for folder in ("built", "built/in"):
        assert Ignored(tmp_path / folder).is_all
        assert set(walk(tmp_path / folder)) == set()
        assert not Folder(tmp_path / folder).belongs("a.py")


def test_a_large_file_is_heeded_up_to_a_whole_line(tmp_path: Path) -> None:
    text = "a.py\n" + "# nothing\n" * 40_000 + "*\n"
    write(tmp_path, {".gitignore": text, "a.py": "", "b.py": ""})
    assert set(walk(tmp_path)) == {"b.py"}
    write(tmp_path, {".gitignore": "/" + "x" * 400_000})
    assert set(walk(tmp_path)) == {"a.py", "b.py"}


def test_case_counts_unless_the_repository_says_no(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "Hidden.py\n", ".git/config": "", "hidden.py": ""})
    assert set(walk(tmp_path)) == {"hidden.py"}
    write(tmp_path, {".git/config": "[core]\n\tignorecase = true\n"})
    assert set(walk(tmp_path)) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[core]\nexcludesFile=~/mine", ["~/mine"]),
        ('[CORE]\n\tExcludesFile = "a b" # mine\n', ["a b"]),
        ("[core] excludesfile = a\\\\b ; mine\n", ["a\\b"]),
        ("[core]\nexcludesfile = a\\\nb\n", ["ab"]),
        ('[core "sub"]\nx = 1\n[other]\nexcludesfile = a\n', []),
        ("[core]\nexcludesfile\n[core]\nexcludesfile =\n", []),
        ("[core]\n# excludesfile = a\n; excludesfile = b\n", []),
        ("\ufeff[core]\r\nexcludesfile = a\r\n", ["a"]),
        ('[core]\nexcludesfile = "a', []),
        ("[core\nexcludesfile = a\n", []),
        ("[core]\nexcludesfile = ~nosuchuser/a\n", ["~nosuchuser/a"]),
    ],
)
def test_the_users_settings_name_files_of_patterns(
    home: Path, text: str, expected: list[str]
) -> None:
    write(home, {".gitconfig": text})
    found = read_settings(None).excludes
    assert found[0] == home / ".config" / "git" / "ignore"
    assert [str(path) for path in found[1:]] == [
        str(Path("/") / name.replace("~/", f"{home}/")) for name in expected
    ]


def test_settings_that_include_one_another_come_to_an_end(home: Path) -> None:
    names = [f"more{number}" for number in range(100)]
    for number, name in enumerate(names):
        following = names[(number + 1) % 100]
        write(home, {name: f"[include]\npath = {following}\npath = {name}\n"})
    write(home, {".gitconfig": "[include]\npath = more0\n[core]\nexcludesfile = ~/mine\n"})
    assert read_settings(None).excludes[1] == home / "mine"
    (home / ".gitconfig").unlink()
    os.mkfifo(home / ".gitconfig")
    assert read_settings(None).excludes[1:] == ()


def test_a_git_folder_may_be_anything(tmp_path: Path) -> None:
    for number, text in enumerate(("", "gitdir:", "gitdir: ../away\n", "\0", "x" * 200_000)):
        folder = write(tmp_path / str(number), {".git": text, "a.py": ""})
        assert repository(folder) is not None
        assert set(walk(folder)) == {"a.py"}
    os.mkfifo(write(tmp_path / "pipe", {"a.py": ""}) / ".git")
    assert set(walk(tmp_path / "pipe")) == {"a.py"}
