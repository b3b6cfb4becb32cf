"""Damaged model files: the engine refuses each with a message, or answers with it."""

from __future__ import annotations

import json
import subprocess
import sys


def test_a_dozen_damaged_models_end_no_engine() -> None:
    """Runs in a new process, since the test forks, and this process may have threads."""
    command = [sys.executable, "-m", "bench.soak", "models", "--models", "12", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    found = json.loads(done.stdout)["models"]
    assert not found["wrongs"] and found["ends"]["refused"] and found["ends"]["answered"], found
