"""Damaged models, loaded: each is refused with a sentence or answers."""

from __future__ import annotations

import json
import subprocess
import sys


def test_a_dozen_damaged_models_end_no_engine() -> None:
    """In a process of its own, since this one may have threads, which a fork would lose."""
    command = [sys.executable, "-m", "bench.soak", "models", "--models", "12", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    found = json.loads(done.stdout)["models"]
    assert not found["wrongs"] and found["ends"]["refused"] and found["ends"]["answered"], found
