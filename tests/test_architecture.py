"""Checks imports, types, lint, and that files and functions stay short."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mistral_lsp"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = MODULES + sorted((ROOT / "bench").rglob("*.py")) + sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 48


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_go_downwards() -> None:
    # In a process of its own: it silences the logs of this one.
    lint = "import sys; from importlinter import cli; sys.exit(cli.lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wall_between_two_processes_has_no_gap() -> None:
    """pyproject.toml bans all modules of `inference` but four from processes beside an editor."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    shared = {"assembly", "healing", "sizes", "shelf"}
    for path in (PACKAGE / "inference").glob("*.py"):
        if path.stem != "__init__":
            walled = f'"mistral_lsp.inference.{path.stem}",' in text
            assert walled is (path.stem not in shared), path.name


@pytest.mark.parametrize("arguments", [["ruff", "check", "."], ["ruff", "format", "--check", "."]])
def test_ruff(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_starts_without_what_only_the_host_needs() -> None:
    found = "import sys, mistral_lsp.server.serve; print({'numpy', 'rich'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", found], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_module_says_its_one_job_first(path: Path) -> None:
    first = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0]
    assert first.endswith("."), f"{name(path)} must open with one sentence on what it is for"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = text.count("\n")
    assert lines <= LONGEST_FILE, f"{name(path)} has {lines} lines; split it by purpose"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            if any(isinstance(inner, ast.FunctionDef) for inner in ast.walk(node) if inner != node):
                continue  # a function of handlers is as long as they are
            assert length <= LONGEST_FUNCTION, f"{name(path)}: {node.name} has {length} lines"


def test_architecture_page_names_every_module() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    for path in MODULES:
        relative = path.relative_to(PACKAGE)
        if relative.name == "__init__.py" or relative.parts[0] == "languages":
            continue
        shown = relative.as_posix()
        assert shown in page or f"`{relative.name}`" in page, (
            f"ARCHITECTURE.md does not name {shown}"
        )
    for shown in re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", page):
        found = [path for path in SOURCES if path.as_posix().endswith("/" + shown)]
        assert found, f"ARCHITECTURE.md names {shown}, which is gone"


def test_every_language_and_filter_has_a_case() -> None:
    for path in (PACKAGE / "languages").glob("*.py"):
        if path.name not in ("__init__.py", "base.py"):
            cases = list((ROOT / "tests" / "fixtures" / path.stem).glob("*.case"))
            assert cases, f"{path.stem} has no case in tests/fixtures"


def test_no_machine_is_named() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert listed.returncode == 0
    places = re.compile(r"/(?:home|Users|work|tmp/dev)/(?!(?:alice|al|me)\b)\w")
    for shown in listed.stdout.splitlines():
        path = ROOT / shown
        if path.suffix in (".py", ".md", ".toml", ".ts", ".lua", ".sh", ".json") and path.is_file():
            assert not places.search(path.read_text("utf-8")), f"{shown} names a path of a machine"
