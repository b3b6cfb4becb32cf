"""The popup of a real Helix in a terminal, with exactly the settings of editors/helix/README.md."""

import sys
from pathlib import Path

import pytest

from tests.editors.conftest import Run, needs
from tests.editors.terminal import Terminal
from tests.editors.test_nvim_install import block

PAGE = Path(__file__).parents[2] / "editors" / "helix" / "README.md"
TEXT = 'def sign(number):\n    \n"🦀東京"; name = \nfoo)\n'


@pytest.fixture
def helix(own_home: Path, run_in_terminal: Run) -> Terminal:
    program = needs("hx", is_always_had=False)
    settings = own_home / ".config" / "helix"
    settings.mkdir()
    languages = block(PAGE.read_text("utf-8"), "languages.toml", "toml")
    (settings / "languages.toml").write_text(languages)
    (own_home / "main.py").write_text(TEXT, encoding="utf-8")
    server = own_home / "mistral-lsp"
    server.write_text(f'#!/bin/sh\nexec {sys.executable} -m mistral_lsp --engine scripted "$@"\n')
    server.chmod(0o755)
    helix = run_in_terminal(program, "main.py", PATH=f"{own_home}:/usr/bin:/bin")
    helix.wait(lambda screen: "def sign" in screen[0])
    return helix


def written(helix: Terminal, home: Path) -> str:
    helix.keys("Escape")
    # Read in one go with what follows, it would be Alt and the next key.
    helix.wait(lambda screen: any(line.lstrip().startswith("NOR") for line in screen))
    helix.type(":w\r")
    helix.wait(lambda screen: "written" in screen[-1])
    return (home / "main.py").read_text("utf-8")


def take(helix: Terminal, label: str) -> None:
    """Requests completion until the item `label` is shown, then accepts that item.

    Helix asks only once by itself, and a starting server has no items yet.
    """

    def has_label(screen: list[str]) -> bool:
        return any(label in line for line in screen)

    for _ in range(10):
        if helix.shows(has_label, 2):
            break
        helix.keys("C-x")
    helix.wait(has_label)
    helix.keys("Tab", "Enter")


def test_an_item_of_several_lines(helix: Terminal, own_home: Path) -> None:
    helix.type("jA")
    helix.type("if ")
    take(helix, "number < 0:")
    answer = "    if number < 0:\n        print()\n        return -1\n"
    assert written(helix, own_home) == TEXT.replace("    \n", answer, 1)


def test_any_characters_before_it(helix: Terminal, own_home: Path) -> None:
    helix.type("jjA")
    take(helix, '"é東" + "é"')
    assert '"🦀東京"; name = "é東" + "é"\n' in written(helix, own_home)
