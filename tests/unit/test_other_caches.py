"""Models with unusual KV caches: recurrent layers, and layers with a sliding window."""

from __future__ import annotations

import random
from pathlib import Path

import numpy
import pytest

from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.host.load import Ready, load
from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.sequence import Sequence
from tests.support.tiny_models import WINDOW, write_gemma, write_mamba

WRITE = {"recurrent": write_mamba, "sliding": write_gemma}
ROUNDING = 1e-3
CODE = list((Path(__file__).parents[1] / "fixtures" / "sample.py").read_bytes())


def wanted_window(kind: str) -> int:
    """Gives a window larger than the sliding one. For other models gives 0, the host's choice."""
    return 16 * WINDOW if kind == "sliding" else 0


@pytest.fixture(scope="module", params=WRITE)
def kind(request) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ready(kind, tmp_path_factory) -> Ready:
    path = tmp_path_factory.mktemp("models") / f"{kind}.gguf"
    WRITE[kind](path)
    return load(Load("llama_cpp", str(path), wanted_window(kind), 1, 0))


def never() -> bool:
    return False


def test_edits_in_the_middle_are_read_as_if_all_were_new(ready) -> None:
    sequence = Sequence(ready.backend, clock=lambda: 0.0)
    chance = random.Random(1)
    held = CODE[:100]
    for _ in range(12):
        place = chance.randrange(3 * WINDOW, len(held))
        held = held[:place] + CODE[place + 7 : place + 7 + chance.randrange(1, 40)]
        found = sequence.logits_behind(held, never).copy()
        sequence.clear()
        anew = sequence.logits_behind(held, never)
        assert numpy.abs(found - anew).max() < ROUNDING


def test_an_aborted_eval_leaves_a_sound_cache(ready) -> None:
    sequence = Sequence(ready.backend, clock=lambda: 0.0)
    expected = sequence.logits_behind(CODE[:80]).copy()
    sequence.clear()
    sequence.logits_behind(CODE[:40])
    ready.backend.abort(True)
    assert sequence.logits_behind(CODE[:80]) is None
    ready.backend.abort(False)
    assert numpy.abs(sequence.logits_behind(CODE[:80]) - expected).max() < ROUNDING


def test_no_suffix_is_moved_and_the_status_says_so(ready, kind) -> None:
    assert ready.model.form == "prefix-first" and not ready.model.can_splice
    if kind == "recurrent":
        assert "recurrent layers" in ready.model.note
        assert ready.model.working_window == ready.model.first_window
    else:
        assert "of the suffix again" in ready.model.note


def test_a_typed_line_is_answered_as_if_it_was_read_anew(ready) -> None:
    head, tail = CODE[:90], [257, *CODE[200:240]]
    ready.sequence.clear()  # the tests before used its backend
    for typed in range(8):
        ids = [*head, *CODE[90 : 90 + typed], *tail, 258]
        places = range(len(head) + typed, len(head) + typed + len(tail))
        found = ready.sequence.read(PromptTokens(ids, b"", places), never).copy()
    ready.sequence.clear()
    anew = ready.sequence.read(PromptTokens(ids, b"", places), never)
    assert numpy.abs(found - anew).max() < ROUNDING
