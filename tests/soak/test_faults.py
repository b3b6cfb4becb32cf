"""Random faults: every request is answered, ghost text returns, no process or socket is left."""

from __future__ import annotations

from typing import Any

from bench.soak import faults
from mistral_lsp.models import store
from tests.support.waiting import PATIENCE_SECONDS


def holds(found: dict[str, Any]) -> None:
    """Checks that ghost text returned within a minute of each fault; no process or socket is left.

    The exact recovery time is checked only by `make soak`.
    """
    assert not found["wrongs"] and not found["stuck"], found
    assert not found["zombies"] + found["hosts_left"] + found["sockets_left"], found
    assert found["slowest_answer_s"] < PATIENCE_SECONDS, found


def test_twenty_faults_of_every_kind() -> None:
    found = faults.run(20, seed=4, sites=4)
    assert found["faults"] == 20 and len(found["kinds"]) >= 6
    holds(found)


def test_a_model_file_that_changes_under_the_host() -> None:
    kinds = {"truncate_model", "replace_model"}
    found = faults.run(2, model=store.locate(""), sites=1, kinds=kinds)
    assert set(found["kinds"]) == kinds
    holds(found)
