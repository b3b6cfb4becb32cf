"""The Lua code of the Neovim plugin passes luacheck and stylua."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.editors.conftest import needs

PLUGIN = Path(__file__).parents[2] / "editors" / "nvim"
FORMATTER = Path(__file__).with_name("stylua.mjs")


def test_luacheck() -> None:
    program = needs("luacheck")
    done = subprocess.run(
        [program, "--no-color", "lua"], cwd=PLUGIN, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_stylua() -> None:
    installed = os.environ.get("MISTRAL_LSP_STYLUA")
    if installed is None:
        assert "CI" not in os.environ, "stylua is missing: run tests/editors/setup.sh"
        pytest.skip("stylua is not installed; `make test-editors` installs it")
    files = sorted(map(str, PLUGIN.rglob("*.lua")))
    done = subprocess.run(
        [needs("node"), str(FORMATTER), installed, str(PLUGIN / "stylua.toml"), *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
