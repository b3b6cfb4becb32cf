"""Follows the README's instructions literally, from an empty home folder to ghost text."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.editors.conftest import Run
from tests.editors.nvim_driver import find_neovim
from tests.editors.terminal import Terminal

ROOT = Path(__file__).parents[2]
README = ROOT / "editors" / "nvim" / "README.md"
CODE = 'def add(first, second):\n    """Gives the sum."""\n    \n'


def block(page: str, behind: str, language: str = "lua") -> str:
    """Gives the first code block in `language` after the words `behind` in a page."""
    found = re.search(rf"{re.escape(behind)}.*?```{language}\n(.*?)```", page, re.DOTALL)
    assert found, f"the README has no {language} behind {behind!r}"
    return found[1]


def neovim(home: Path, run: Run, init: str) -> Terminal:
    """Puts a clone and the configuration `init` where the README says, and starts Neovim."""
    assert len(init.strip().splitlines()) <= 10
    (home / "src").mkdir()
    (home / "src" / "mistral-lsp").symlink_to(ROOT)
    config = home / ".config" / "nvim"
    config.mkdir(parents=True)
    (config / "init.lua").write_text(init, encoding="utf-8")
    (home / "main.py").write_text(CODE, encoding="utf-8")
    program = find_neovim() or shutil.which("nvim")
    if program is None:
        pytest.skip("Neovim is not installed")
    command = home / "bin"
    command.mkdir()
    server = command / "mistral-lsp"
    server.write_text(f'#!/bin/sh\nexec {sys.executable} -m mistral_lsp "$@"\n')
    server.chmod(0o755)
    path = f"{command}:/usr/bin:/bin"
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "STATE")}
    return run(program, "main.py", PATH=path, PYTHONPATH=str(ROOT), **folders)


def wait_for_ghost(editor: Terminal) -> str:
    """Waits for ghost text; gives the line of the screen that contains it.

    If none appears within 10 s, retypes the line's last character. The first load of a model
    measures the machine, so the first answer may come too late and be dropped.
    """
    for _ in range(12):
        if editor.shows(lambda screen: len(screen[2].strip()) > len("return "), 10):
            return editor.screen()[2].rstrip()
        editor.keys("BSpace")
        editor.type(" ")
    raise AssertionError("\n".join(editor.screen()))


def accept_what_the_model_writes(editor: Terminal, home: Path) -> None:
    editor.wait(lambda screen: screen[0].rstrip() == "def add(first, second):")
    editor.type("jjAreturn ")
    line = wait_for_ghost(editor)
    editor.keys("Tab")
    editor.keys("Escape")
    editor.type(":write\r")
    editor.wait(lambda screen: "written" in screen[-1])
    # The text may have grown since it was looked at.
    assert (home / "main.py").read_text("utf-8").splitlines()[2].startswith(line)


def test_the_lines_of_the_readme_are_all_it_takes(own_home: Path, run_in_terminal: Run) -> None:
    init = block(README.read_text("utf-8"), "Without a plugin manager")
    accept_what_the_model_writes(neovim(own_home, run_in_terminal, init), own_home)


def test_neovims_own_inline_completion_needs_no_plugin(
    own_home: Path, run_in_terminal: Run
) -> None:
    init = block(README.read_text("utf-8"), "Without the plugin")
    editor = neovim(own_home, run_in_terminal, init)
    screen = editor.wait(lambda screen: "main.py" in screen[-2] or "init.lua" in "".join(screen))
    if "inline_completion" in "".join(screen):
        pytest.skip("this Neovim is older than 0.12")
    accept_what_the_model_writes(editor, own_home)
