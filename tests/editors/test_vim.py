"""Ghost text in a real Vim 9, in a terminal."""

import json
from pathlib import Path

import pytest

from tests.editors.conftest import COMMAND, Run, needs
from tests.editors.terminal import Terminal

PLUGIN = Path(__file__).parents[2] / "editors" / "vim"
TEXT = 'def sign(number):\n    \n"🦀東京"; name = \nfoo)\n'
SIGN = ["    if number < 0:", "        print()", "        return -1"]

SETTINGS = """
set nocompatible noswapfile backspace=indent,eol,start autoindent expandtab encoding=utf-8
set shortmess+=I laststatus=2 statusline=%%{mistral_lsp#server#Status()}
set runtimepath^=%s
let g:mistral_lsp_command = %s
filetype plugin on
"""


@pytest.fixture
def vim(own_home: Path, run_in_terminal: Run) -> Terminal:
    (own_home / "main.py").write_text(TEXT, encoding="utf-8")
    (own_home / "vimrc").write_text(SETTINGS % (PLUGIN, json.dumps(COMMAND)), encoding="utf-8")
    vim = run_in_terminal(needs("vim"), "-u", "vimrc", "main.py")
    vim.wait_for("mistral ready")
    return vim


def typed(vim: Terminal, *keys: str) -> None:
    vim.keys("Escape")
    for key in keys:
        vim.type(key)


def written(vim: Terminal, home: Path) -> str:
    typed(vim, ":write\n")
    vim.wait(lambda screen: "written" in screen[-1])
    return (home / "main.py").read_text("utf-8")


def test_ghost_text_is_shown_and_accepted(vim: Terminal, own_home: Path) -> None:
    typed(vim, "jA", "if ")
    vim.wait_for("def sign(number):", *SIGN, '"🦀東京"; name =', "foo)")
    vim.keys("Tab")
    typed(vim, ":%print\n")
    vim.wait_for("def sign(number):", *SIGN, '"🦀東京"; name =', "foo)")
    typed(vim, "\n")
    assert written(vim, own_home) == TEXT.replace("    \n", "\n".join([*SIGN, ""]), 1)


def test_by_word_by_line_and_typed_through(vim: Terminal, own_home: Path) -> None:
    typed(vim, "jA", "if ")
    vim.wait_for(*SIGN)
    vim.type("num")
    vim.wait_for(*SIGN)
    vim.keys("C-Right")
    vim.wait_for(*SIGN)
    assert "    if number\n" in written(vim, own_home)
    typed(vim, "A", " ")
    vim.wait_for(*SIGN)
    vim.keys("C-l")
    vim.wait_for(*SIGN)
    assert "    if number < 0:\n" in written(vim, own_home)


def test_a_key_means_what_it_always_meant_where_nothing_is_shown(
    vim: Terminal, own_home: Path
) -> None:
    typed(vim, "GA", "\tx")
    assert written(vim, own_home).endswith("foo)    x\n")


def test_undo_restores_what_was_there(vim: Terminal, own_home: Path) -> None:
    typed(vim, "jA", "if ")
    vim.wait_for(*SIGN)
    vim.keys("Tab")
    typed(vim, "u")
    assert written(vim, own_home) == TEXT.replace("    \n", "    if \n", 1)


def test_leaving_and_typing_on_take_it_away(vim: Terminal) -> None:
    typed(vim, "jA", "if ")
    vim.wait_for(*SIGN)
    vim.type("x")
    vim.wait_for("    if x", '"🦀東京"; name =', "foo)")
    vim.keys("BSpace")
    vim.wait_for(*SIGN)
    vim.keys("Escape")
    vim.wait_for("    if", '"🦀東京"; name =', "foo)")


def test_dismissed_text_stays_away(vim: Terminal) -> None:
    typed(vim, "jA", "if ")
    vim.wait_for(*SIGN)
    vim.keys("C-]")
    vim.wait_for("    if", '"🦀東京"; name =', "foo)")


def test_any_characters_and_a_closed_bracket(vim: Terminal, own_home: Path) -> None:
    typed(vim, "jjA", "\b ")
    vim.wait_for('"🦀東京"; name = "é東" + "é"')
    vim.keys("Tab")
    assert '"🦀東京"; name = "é東" + "é"\n' in written(vim, own_home)
    typed(vim, "G0fo;a", "(")
    vim.wait_for("foo(a, b)")
    vim.keys("Tab")
    assert written(vim, own_home).endswith("foo(a, b)\n")


def test_a_server_that_is_killed_is_said_and_started_again(vim: Terminal) -> None:
    for server in vim.children():
        server.kill()
    vim.wait(lambda screen: "use `:MistralLsp restart`" in "".join(screen))
    typed(vim, ":MistralLsp restart\n")
    vim.wait_for("mistral ready")
    typed(vim, "jA", "if ")
    vim.wait_for(*SIGN)


def test_the_status_is_shown(vim: Terminal) -> None:
    typed(vim, ":MistralLsp status\n")
    vim.wait(lambda screen: any(line.startswith("engine: scripted") for line in screen))
