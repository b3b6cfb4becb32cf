"""Globs match the same paths as git's own, in bounded time."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mistral_lsp.text import globs

PIECES = [
    *("a", "a", "b", "ab", ".py", "*", "*", "?", "**", "/", "/", "-", "!", "#", "\\a", "\\*"),
    *("[ab]", "[!a]", "[^b]", "[a-c]", "[z-a]", "[c-ab]", "[[:alpha:]]", "[]"),
]
SLIP = re.compile(r"[^/*]\*\*+/")
"""Matches patterns that git treats inconsistently; the random patterns exclude them.

Git lets `a**/b` match what `a*/**/b` matches, and also `ab`. It lets `*a**/b` match what `*a*/b`
matches, as documented.
"""
NAMES = ("a", "b", "ab", "abc", "a.py", "b.py", "ba", "-", "*", "a b", "!a", "#")


def pattern(chance: random.Random) -> str:
    pieces = chance.choices(PIECES, k=chance.randint(1, 5))
    line = "".join([*pieces, chance.choice(("", "/", " "))])
    return "" if SLIP.search(line) else line


def named(lines: list[str], path: str) -> bool | None:
    return globs.decide_file(globs.read_lines(lines), path.split("/"))


@pytest.mark.parametrize(
    ("line", "path", "expected"),
    [
        ("a.py", "x/a.py", True),
        ("/a.py", "x/a.py", None),
        ("x/a.py", "y/x/a.py", None),
        ("**/x/a.py", "y/x/a.py", True),
        ("x/**/a.py", "x/a.py", True),
        ("x/**", "x/y/a.py", True),
        ("x/", "x", None),
        ("x/", "x/a.py", True),
        ("*.py", "x/a.py", True),
        ("x/*.py", "x/y/a.py", None),
        ("[[:digit:]]?.py", "1é.py", True),
        ("[!a-c].py", "d.py", True),
        ("a\\ ", "a ", True),
        ("\\#a", "#a", True),
        ("# a", "# a", None),
        ("!a", "a", False),
        ("", "a", None),
    ],
)
def test_what_a_pattern_means(line: str, path: str, expected: bool | None) -> None:
    assert named([line], path) is expected


def test_the_last_pattern_counts_but_takes_nothing_out_of_a_folder() -> None:
    assert named(["*.py", "!a.py"], "x/a.py") is False
    assert named(["x/", "!x/a.py"], "x/a.py") is True
    assert named(["*", "!x"], "x/a.py") is True
    assert named(["/*", "!/x"], "x/a.py") is False


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("!", "it names nothing"),
        ("/", "it names nothing"),
        ("a\\", "it ends with a backslash"),
        ("[ab", "nothing closes its [ab"),
        ("[[:letter:]]", "there is no class [:letter:]"),
        ("a" * 1001, "it is longer than 1,000 characters"),
    ],
)
def test_what_is_wrong_is_said_and_matches_nothing(line: str, problem: str) -> None:
    glob = globs.read(line)
    assert glob is not None and glob.problem == problem
    assert not any(glob.matches(["x", name]) for name in (*NAMES, line))


def test_what_is_left_of_a_set_counts_as_it_does_for_git() -> None:
    glob = globs.read("x/[z-ab]")
    assert glob is not None and glob.problem == "the range z-a is empty"
    assert glob.matches(["x", "b"]) and glob.matches(["x", "z"]) and not glob.matches(["x", "a"])


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*a" * 300 + "b.py", "a" * 255),
        ("*" + "?" * 400 + "b*c", "a" * 255),
        ("**/a/" * 190 + "b", "/".join("a" * 1000)),
        ("[a-z]*" * 160 + "1", "a" * 255),
    ],
)
def test_many_stars_do_not_hang(line: str, path: str) -> None:
    """As a regular expression, the first `line` would take forever to match."""
    assert named([line] * 20, path) is None


def test_case_is_left_out_where_that_is_wished() -> None:
    assert globs.decide(globs.read_lines(["Build", "*.PY"], True), ["x", "build"], True)
    assert globs.decide(globs.read_lines(["Build", "*.PY"], True), ["x", "a.py"], False)
    assert globs.decide(globs.read_lines(["Build"]), ["build"], True) is None


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_names_the_same_paths(tmp_path: Path) -> None:
    """Compares our answers with git's, for random paths and one to three random patterns a file."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    chance = random.Random(7)
    for _ in range(150):
        count = chance.choice((1, 1, 2, 3))
        lines = [pattern(chance) for _ in range(count)]
        paths = {"/".join(chance.choices(NAMES, k=chance.randint(1, 4))) for _ in range(60)}
        (tmp_path / ".gitignore").write_text("\n".join(lines), "utf-8")
        asked = "\0".join(paths).encode()
        command = ["git", "-C", str(tmp_path), "check-ignore", "--stdin", "-z", "--no-index"]
        done = subprocess.run(command, input=asked, capture_output=True, check=False)
        ignored = set(done.stdout.decode().split("\0")) - {""}
        ours = {path for path in paths if named(lines, path)}
        assert ours == ignored, lines
