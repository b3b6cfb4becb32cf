"""The registry of backends: its rows, and a backend that another package adds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mistral_lsp import config
from mistral_lsp.inference.backends import registry
from mistral_lsp.inference.backends.registry import Row
from mistral_lsp.types import EngineError

TOY = """
from mistral_lsp.inference.backends.ctransformers import CTransformers
from mistral_lsp.inference.backends.registry import Row

class Toy(CTransformers):
    name = "toy"

ROW = Row("toy", "toy_backend", "toy_backend:Toy", "pip install toy-backend")
"""
METADATA = "Metadata-Version: 2.1\nName: toy-backend\nVersion: 1.0\n"
ENTRY_POINTS = "[mistral_lsp.backends]\ntoy = toy_backend:ROW\n"


@pytest.fixture
def toy(tmp_path: Path) -> dict[str, str]:
    """Gives an environment in which the toy package, which adds a backend, is installed."""
    (tmp_path / "toy_backend.py").write_text(TOY)
    information = tmp_path / "toy_backend-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(METADATA)
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def test_a_package_brings_a_backend_without_a_change_of_ours(toy, tmp_path) -> None:
    file = tmp_path / "sum.py"
    file.write_text("def add(a, b):\n    return \n")
    command = [sys.executable, "-m", "mistral_lsp"]
    for engine in ("toy", "auto"):  # what a user has installed beside ours is taken first
        done = subprocess.run(
            [*command, "complete", f"{file}:2:12", "--engine", engine, "--json"],
            env=toy,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        record = json.loads(done.stdout)
        assert record["engine"] == "toy" and record["text"], record
    told = subprocess.run(
        [*command, "--engine", "tiy"], env=toy, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2 and "toy" in told.stderr


def test_every_backend_of_ours_can_be_named_in_the_settings() -> None:
    for row in registry.FASTEST_FIRST:
        assert row.name in config.engines() and row.install.startswith("pip install ")


def test_one_that_is_missing_is_named_with_the_command_that_brings_it() -> None:
    row = Row("none", "no_such_library", "no_such_library:Open", "pip install none")
    assert not row.is_installed()
    with pytest.raises(EngineError, match="pip install none"):
        row.open(Path("model.gguf"), 512, 1, 0)


def test_one_that_does_not_run_on_this_system_is_not_installed() -> None:
    assert not Row("other", "json", "json:loads", "", platforms=("beos",)).is_installed()


def test_an_engine_that_nobody_brings_is_named() -> None:
    settings, [problem] = config.read({"engine": "lama_cpp"}, config.Settings())
    assert settings.engine == "auto" and "llama_cpp" in problem and "lama_cpp" in problem
