"""Editors for the tests, closed when their test is over."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.nvim_driver import Editor, Open, find_neovim


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Open]:
    """Give what starts a Neovim with a file."""
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
    """Give what starts a Neovim with a file, and waits until its server is ready."""

    def open_editor(*arguments, **more) -> Editor:
        editor = start(*arguments, **more)
        editor.wait_for_status("mistral ready")
        return editor

    return open_editor
