"""Prompts' KV states on disk, and the remembered measurements of the machine."""

from __future__ import annotations

import stat

import pytest

from mistral_lsp.engine.host import measure, states
from mistral_lsp.engine.host.measure import Measured
from mistral_lsp.inference.backends.scripted import SPECIALS, Script, Scripted
from mistral_lsp.inference.shelf import Kept
from mistral_lsp.inference.tokenizer import Tokenizer

KEPT = [Kept((1, 2, 3), b"old"), Kept((4, 5), b"new" * 100)]


def test_what_was_kept_is_found_in_its_order() -> None:
    states.write("model", KEPT)
    assert states.read("model") == KEPT
    assert states.read("another") == []
    states.erase()
    assert states.read("model") == [] and not states.folder().exists()


def test_only_the_user_can_read_it() -> None:
    states.write("model", KEPT)
    paths = [states.folder(), *states.folder().iterdir()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o700, 0o600, 0o600]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_left_out(damage) -> None:
    states.write("model", KEPT)
    path = states.folder() / "0.state"
    body = path.read_bytes()
    changed = {"cut": body[:-1], "changed": body[:-1] + b"x", "empty": b""}
    path.write_bytes(changed[damage])
    assert states.read("model") == KEPT[:1]


def test_there_is_a_limit_and_the_newest_stay(monkeypatch) -> None:
    monkeypatch.setattr(states, "ROOM", 400)
    states.write("model", KEPT)
    assert states.read("model") == KEPT[1:]


def test_a_full_disk_loses_only_the_convenience(monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(states, "write_private", full)
    states.write("model", KEPT)
    assert states.read("model") == []


def test_a_machine_is_measured_thrice_and_the_best_is_remembered(tmp_path, monkeypatch) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"x")
    found = [Measured(2, 100.0), Measured(1, 300.0), Measured(2, 200.0)]
    monkeypatch.setattr(measure, "_measure", lambda *_: found.pop(0))
    backend = Scripted(Script())
    tokenizer = Tokenizer(backend, SPECIALS)
    rates = [measure.measure(backend, tokenizer, model, 0).reading_rate for _ in range(5)]
    assert rates == [100.0, 300.0, 300.0, 300.0, 300.0]
    assert found == []


def test_what_is_remembered_may_be_damaged(tmp_path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"x")
    backend = Scripted(Script())
    tokenizer = Tokenizer(backend, SPECIALS)
    first = measure.measure(backend, tokenizer, model, 1)
    assert first.threads == 1 and first.reading_rate > 0
    store = states.folder().parent / "measured.json"
    assert store.exists()
    store.write_text("{")
    assert measure.measure(backend, tokenizer, model, 1).reading_rate > 0
