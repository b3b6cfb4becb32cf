"""Faults at random moments: every request is answered, ghost text comes back, nothing is left."""

from __future__ import annotations

from typing import Any

from bench.soak import faults
from mistral_lsp.models import store

LOAD_SECONDS = 3.0
"""More than a start of the scripted engine takes on a busy machine."""
FIRST_LOAD_SECONDS = 20.0
"""The first loads of a model measure the machine, too."""


def holds(found: dict[str, Any], load_seconds: float) -> None:
    assert not found["wrongs"] and not found["stuck"], found
    assert not found["zombies"] + found["hosts_left"] + found["sockets_left"], found
    # A machine that keeps us waiting keeps the server waiting, in many places one after another.
    patience = 1 + 10 * found["longest_stall_s"]
    assert found["recovery_s"]["p95"] < (2 + load_seconds) * patience, found
    assert found["slowest_answer_s"] < 10 * patience, found


def test_twenty_faults_of_every_kind() -> None:
    found = faults.run(20, seed=4, sites=4)
    assert found["faults"] == 20 and len(found["kinds"]) >= 6
    holds(found, LOAD_SECONDS)


def test_a_model_file_that_changes_under_the_host() -> None:
    kinds = {"truncate_model", "replace_model"}
    found = faults.run(2, model=store.locate(""), sites=1, kinds=kinds)
    assert set(found["kinds"]) == kinds
    holds(found, FIRST_LOAD_SECONDS)
