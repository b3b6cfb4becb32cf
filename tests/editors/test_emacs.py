"""Ghost text in a real Emacs with eglot, in a terminal."""

import time
from pathlib import Path

import pytest

from tests.editors.conftest import COMMAND, Run, needs
from tests.editors.record import recorded, told
from tests.editors.terminal import Terminal

PLUGIN = Path(__file__).parents[2] / "editors" / "emacs"
TEXT = 'def sign(number):\n    \n"🦀東京"; name = \nfoo)\n'
SIGN = ["    if number < 0:", "        print()", "        return -1"]
BELOW = ['"🦀東京"; name =', "foo)"]

# The packages of the system must be found, so `-Q` is out of the question.
SETTINGS = """
(setq native-comp-deferred-compilation nil native-comp-async-report-warnings-errors nil)
(package-initialize)
(setq make-backup-files nil auto-save-default nil create-lockfiles nil inhibit-startup-screen t
      python-indent-guess-indent-offset nil)
(menu-bar-mode -1)
(electric-indent-mode -1)
(add-to-list 'load-path "%s")
(setq mistral-lsp-command '(%s))
(require 'mistral-lsp)
(mistral-lsp-setup 'python-mode)
"""


def record(home: Path) -> Path:
    """Gives the path of the relay's record, outside the folder that the editor watches.

    In that folder, a recorded message would be a file change, which the editor would report in a
    new message, and so on.
    """
    return home.with_name(f"{home.name}-sent.jsonl")


@pytest.fixture
def emacs(own_home: Path, run_in_terminal: Run) -> Terminal:
    (own_home / "main.py").write_text(TEXT, encoding="utf-8")
    command = " ".join(f'"{word}"' for word in recorded(record(own_home), COMMAND))
    (own_home / "init.el").write_text(SETTINGS % (PLUGIN, command), encoding="utf-8")
    emacs = run_in_terminal(needs("emacs"), "-nw", "-q", "-l", "init.el", "main.py")
    emacs.wait(lambda screen: "ghost" in "".join(screen))
    # eglot connects behind the first command.
    emacs.keys("Down", "Up")
    emacs.wait(lambda screen: any("ElDoc)  [eglot" in line for line in screen))
    return emacs


def written(emacs: Terminal, home: Path) -> str:
    emacs.keys("C-x", "C-s")
    emacs.wait(lambda screen: "Wrote" in screen[-1])
    emacs.keys("Escape", "x")
    emacs.type("ignore\r")
    emacs.wait(lambda screen: "Wrote" not in screen[-1])
    return (home / "main.py").read_text("utf-8")


def test_ghost_text_is_shown_and_accepted(emacs: Terminal, own_home: Path) -> None:
    emacs.keys("Down", "C-e")
    emacs.type("if ")
    emacs.wait_for("def sign(number):", *SIGN, *BELOW)
    emacs.keys("Tab")
    assert written(emacs, own_home) == TEXT.replace("    \n", "\n".join([*SIGN, ""]), 1)
    emacs.keys("C-_")
    assert written(emacs, own_home) == TEXT.replace("    \n", "    if \n", 1)


def test_by_word_by_line_and_typed_through(emacs: Terminal, own_home: Path) -> None:
    emacs.keys("Down", "C-e")
    emacs.type("if ")
    emacs.wait_for(*SIGN, *BELOW)
    emacs.type("num")
    emacs.wait_for(*SIGN, *BELOW)
    emacs.keys("M-f")
    emacs.wait_for(*SIGN, *BELOW)
    assert "    if number\n" in written(emacs, own_home)


def test_a_line_is_accepted(emacs: Terminal, own_home: Path) -> None:
    emacs.keys("Down", "C-e")
    emacs.type("if ")
    emacs.wait_for(*SIGN, *BELOW)
    emacs.keys("C-e")
    emacs.wait_for(*SIGN, *BELOW)
    assert "    if number < 0:\n" in written(emacs, own_home)


def test_typing_on_and_leaving_take_it_away(emacs: Terminal) -> None:
    emacs.keys("Down", "C-e")
    emacs.type("if ")
    emacs.wait_for(*SIGN, *BELOW)
    emacs.type("x")
    emacs.wait_for("    if x", *BELOW)
    emacs.keys("BSpace")
    emacs.wait_for(*SIGN, *BELOW)
    emacs.keys("C-a")
    emacs.wait_for("    if", *BELOW)


def test_dismissed_text_stays_away(emacs: Terminal) -> None:
    emacs.keys("Down", "C-e")
    emacs.type("if ")
    emacs.wait_for(*SIGN, *BELOW)
    emacs.keys("C-g")
    emacs.wait_for("    if", *BELOW)
    emacs.type("x")
    emacs.wait_for("    if x", *BELOW)
    emacs.keys("BSpace")
    assert not emacs.shows(lambda screen: any("number < 0" in line for line in screen), 2)


def test_any_characters_and_a_closed_bracket(emacs: Terminal, own_home: Path) -> None:
    emacs.keys("Down", "Down", "C-e", "BSpace")
    emacs.type(" ")
    emacs.wait_for('"🦀東京"; name = "é東" + "é"')
    emacs.keys("Tab")
    emacs.keys("Escape", ">")
    emacs.keys("Left", "Left", "BSpace", "BSpace", "BSpace")
    emacs.type("foo(")
    emacs.wait_for("foo(a, b)")
    emacs.keys("Tab")
    assert written(emacs, own_home).endswith('"🦀東京"; name = "é東" + "é"\nfoo(a, b)\n')


def test_a_server_that_is_killed_is_started_again(emacs: Terminal) -> None:
    # eglot gives up where a connection did not last as long.
    time.sleep(3.5)
    for server in emacs.children():
        server.kill()
    emacs.wait(lambda screen: "Reconnected!" in "".join(screen))
    emacs.keys("Down", "C-e")
    emacs.type("if ")
    emacs.wait_for(*SIGN, *BELOW)


def test_the_status_is_shown(emacs: Terminal) -> None:
    emacs.keys("Escape", "x")
    emacs.type("mistral-lsp-status\r")
    emacs.wait(lambda screen: "mistral-lsp is " in screen[-1])


def evaluated(emacs: Terminal, form: str) -> None:
    emacs.keys("Escape", ":")
    emacs.type(f"{form}\r")


RENAMED = ["didOpen main.py", "didClose main.py", "didOpen other.py"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ('(set-visited-file-name "other.py")', RENAMED),
        ('(write-file "other.py")', [*RENAMED, "didSave other.py"]),
        ('(progn (set-visited-file-name nil) (set-visited-file-name "other.py"))', RENAMED),
        ('(write-region nil nil "other.py")', RENAMED[:1]),
        ("(revert-buffer t t)", [*RENAMED[:2], "didOpen main.py"]),
        ("(revert-buffer t t t)", [*RENAMED[:2], "didOpen main.py"]),
        ("(progn (text-mode) (python-mode))", [*RENAMED[:2], "didOpen main.py"]),
        ('(cd "/")', RENAMED[:1]),
    ],
)
def test_a_buffer_with_another_file_is_another_document(
    emacs: Terminal, own_home: Path, form: str, expected: list[str]
) -> None:
    evaluated(emacs, form)
    emacs.wait(lambda _: told(record(own_home)) == expected)
    emacs.keys("Escape", "<")
    emacs.keys("Down", "C-e")
    emacs.type("if ")
    emacs.wait_for(*SIGN)
    assert told(record(own_home)) == expected


def test_a_buffer_that_gets_a_file_is_opened(emacs: Terminal, own_home: Path) -> None:
    evaluated(emacs, '(progn (switch-to-buffer "new") (python-mode))')
    evaluated(emacs, '(write-file "fresh.py")')
    emacs.wait(lambda _: "didOpen fresh.py" in told(record(own_home)))
    emacs.type("foo(")
    emacs.wait_for("foo(a, b)")
