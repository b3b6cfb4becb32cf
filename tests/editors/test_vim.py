"""Ghost text in a real Vim 9, in a terminal."""

import json
from pathlib import Path

import pytest

from tests.editors.conftest import COMMAND, Run, needs
from tests.editors.record import recorded, told
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


def record(home: Path) -> Path:
    """Gives the path of the relay's record, outside the folder that the editor watches.

    In that folder, a recorded message would be a file change, which the editor would report in a
    new message, and so on.
    """
    return home.with_name(f"{home.name}-sent.jsonl")


@pytest.fixture
def vim(own_home: Path, run_in_terminal: Run) -> Terminal:
    (own_home / "main.py").write_text(TEXT, encoding="utf-8")
    command = json.dumps(recorded(record(own_home), COMMAND))
    (own_home / "vimrc").write_text(SETTINGS % (PLUGIN, command), encoding="utf-8")
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


RENAMED = ["didOpen main.py", "didClose main.py", "didOpen other.py"]


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([":file other.py"], RENAMED),
        ([":saveas other.py"], [*RENAMED, "didSave other.py"]),
        ([":write other.py"], ["didOpen main.py", "didSave main.py"]),
        ([":0file", ":file other.py"], RENAMED),
        ([":file other.py", ":cd sub", ":write! ../other.py"], [*RENAMED, "didSave other.py"]),
        ([":edit!"], ["didOpen main.py", "didClose main.py", "didOpen main.py"]),
        ([":cd sub"], ["didOpen main.py"]),
        ([":lcd sub", ":file other.py"], RENAMED),
        ([":set filetype=javascript"], [*RENAMED[:2], "didOpen main.py"]),
        ([":set buftype=nofile", ":file other.py"], RENAMED[:2]),
    ],
)
def test_a_buffer_with_another_name_is_another_document(
    vim: Terminal, own_home: Path, commands: list[str], expected: list[str]
) -> None:
    (own_home / "sub").mkdir()
    for command in commands:
        typed(vim, f"{command}\n")
    typed(vim, ":1\n", "jA", "if ")
    if expected != RENAMED[:2]:
        vim.wait_for(SIGN[0])
        vim.keys("Tab")
    vim.wait(lambda _: told(record(own_home)) == expected)


@pytest.mark.parametrize("command", [":file fresh.py", ":write fresh.py", ":saveas fresh.py"])
def test_a_buffer_that_gets_a_name_is_opened(vim: Terminal, own_home: Path, command: str) -> None:
    typed(vim, ":enew\n", "ifoo")
    typed(vim, f"{command}\n", "A", "(")
    vim.wait_for("foo(a, b)")
    events = [event for event in told(record(own_home)) if "fresh" in event]
    assert events[0] == "didOpen fresh.py"


def test_a_buffer_that_is_wiped_out_is_closed_and_opens_anew(vim: Terminal, own_home: Path) -> None:
    typed(vim, ":bwipeout\n", ":edit main.py\n", "jA", "if ")
    vim.wait_for(*SIGN)
    expected = ["didOpen main.py", "didClose main.py", "didOpen main.py"]
    assert told(record(own_home)) == expected
