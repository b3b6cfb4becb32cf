"""Fixtures that start editors, and close them after the test."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.nvim_driver import Editor, Open, find_neovim
from tests.editors.terminal import Terminal

ANSWERS = {
    "def sign(number):\n    ": "if number < 0:\n        print()\n        return -1\n",
    "foo(": "a, b)\n",
    '"🦀東京"; name = ': '"é東" + "é"\n',
}
COMMAND = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted"]


def needs(program: str, is_always_had: bool = True) -> str:
    """Gives a program's path; skips the test if the program is missing.

    In CI, the test fails instead, unless `is_always_had` is False.
    """
    found = os.environ.get(f"MISTRAL_LSP_{program.upper()}") or shutil.which(program)
    if found is None:
        assert not is_always_had or "CI" not in os.environ, (
            f"{program} is missing: run tests/editors/setup.sh"
        )
        pytest.skip(f"{program} is not installed; `make test-editors` installs it")
    return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Open]:
    """Gives a function that starts Neovim with a file."""
    # There is no wheel of Neovim for some systems; CI runs where there is one.
    if find_neovim() is None and "CI" not in os.environ:
        pytest.skip("Neovim is not installed")
    editors: list[Editor] = []

    def start_editor(*arguments, **more) -> Editor:
        editors.append(Editor(tmp_path, *arguments, **more))
        return editors[-1]

    yield start_editor
    for editor in editors:
        editor.close()


@pytest.fixture
def open_ready(start: Open) -> Open:
    """Gives a function that starts Neovim with a file and waits until the server is ready."""

    def open_editor(*arguments, **more) -> Editor:
        editor = start(*arguments, **more)
        editor.wait_for_status("mistral ready")
        return editor

    return open_editor


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives a home folder with settings and a script for the scripted engine.

    By these settings, an engine host exits with its last editor.
    """
    settings = tmp_path / ".config" / "mistral-lsp" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("keepLoadedSeconds = 0\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    script = tmp_path / "script.json"
    entries = [{"after": after, "answer": answer} for after, answer in ANSWERS.items()]
    script.write_text(json.dumps({"delay_ms": 2, "answers": entries}))
    monkeypatch.setenv("MISTRAL_LSP_SCRIPT", str(script))
    return tmp_path


Run = Callable[..., Terminal]


@pytest.fixture
def run_in_terminal(own_home: Path) -> Iterator[Run]:
    """Gives a function that runs a program in a terminal, with the test's home folder."""
    terminals: list[Terminal] = []

    def run(*command: str, **environment: str) -> Terminal:
        needs("tmux")
        terminals.append(Terminal(list(command), own_home, environment))
        return terminals[-1]

    yield run
    for terminal in terminals:
        terminal.close()
