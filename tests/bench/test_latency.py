"""Checks that the latency bench tells good servers from bad ones, with the real server process."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from bench.latency import report
from bench.latency.modes import Run, Sample, _first_word, _right_part, human_pace, replay
from bench.peers.llama_vim import Surroundings
from bench.support.statistics import percentile
from bench.support.subjects import Answer, Ours
from bench.support.typist import Document, Place, rhythm, shipped_places

LINE = "total = sum(values) / len(values)"
TEXT = f"def mean(values):\n    {LINE}\n    return total\n"
KEYS = 12


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "mean.py"
    path.write_text(TEXT)
    return Place(path, 1)


def figures(
    place: Place, mode: str, answer: str, delay_ms: float = 0.0, keys: int = KEYS, **settings: int
) -> dict:
    """Runs the bench on a server whose model always writes `answer`; gives the bench's figures."""
    script = place.path.with_suffix(".json")
    after = "" if answer != LINE else "def mean(values):\n    "
    entry = {"after": after, "answer": f"{answer}\n"}
    script.write_text(json.dumps({"answers": [entry], "delay_ms": delay_ms}))
    subject = Ours(
        "scripted",
        window=2048,
        environment={"MISTRAL_LSP_SCRIPT": str(script)},
        settings={"deadlineMs": 60000, **settings},
    )
    return report.summarise(replay(subject, mode, [place], keys, lambda: None))


def test_a_right_answer_is_there_at_once(place) -> None:
    found = figures(place, "closed", LINE)
    assert (found["keystrokes"], found["answered"], found["with_text"]) == (KEYS, KEYS, KEYS)
    assert found["cached"] == KEYS and found["mean_wait_ms"] > 0
    assert found["decoded_tokens"] == 0


def test_a_server_that_sleeps_is_caught(place) -> None:
    found = figures(place, "closed", "wrong", debounceMs=500)
    assert found["at_once_percent"] == 0
    assert found["first_ms"]["p50"] >= 500 and found["mean_wait_ms"] >= 500


def test_a_slow_server_leaves_a_person_without_answers(place, monkeypatch) -> None:
    monkeypatch.setattr("bench.latency.modes.rhythm", lambda seed: itertools.repeat(1.0))
    assert figures(place, "human", LINE, keys=4)["answered"] == 4
    slow = figures(place, "human", "wrong", keys=4, debounceMs=5000)
    assert slow["answered"] == 0


def test_what_the_next_key_overtook_was_not_there_at_once() -> None:
    run = Run("ours", "human", samples=[Sample(Answer("a", 1, 1, 1)), Sample(None)])
    assert report.summarise(run)["at_once_percent"] == 50


def test_the_server_hears_of_a_key_before_the_cancel(place) -> None:
    heard: list[str] = []

    class Slow(Ours):
        def edit(self, document, edit) -> None:
            heard.append("edit")

        def ask(self, document) -> None:
            heard.append("ask")

        def wait(self, until) -> None:
            return None

        def cancel(self) -> None:
            heard.append("cancel")

    human_pace(Slow("scripted"), Document.at(place, 2), Run("ours", "human"))
    assert heard == ["edit", "ask", "edit", "cancel", "ask", "cancel"]


def test_tokens_that_nobody_saw_are_counted(place) -> None:
    right = figures(place, "closed", LINE)
    blank = figures(place, "human", " " * 100, delay_ms=5)
    assert blank["wasted_percent"] == 100 and blank["with_text"] == 0
    assert blank["cancel_to_idle_ms"]["p95"] is not None
    assert not right["wasted_percent"]


def test_right_suggestions_are_accepted(place) -> None:
    assert figures(place, "accept", LINE)["accepted_percent"] > 90
    assert figures(place, "accept", "wrong")["accepted_percent"] == 0


def test_a_server_that_does_not_answer_ends_the_bench(place, monkeypatch) -> None:
    monkeypatch.setattr("bench.latency.modes.PATIENCE_SECONDS", 0.3)
    with pytest.raises(TimeoutError, match="did not answer"):
        figures(place, "closed", "wrong", debounceMs=5000)


def test_what_a_person_accepts() -> None:
    assert _right_part("self.value + 1", "self.value - 1") == "self.value "
    assert _right_part("self.value", "self.values[0]") == "self.value"
    assert _right_part("selfish", "self.value") == ""
    assert _right_part("a\nb", "a") == "a"
    assert _first_word("  (name_of, x)") == "  (name_of"
    assert _first_word("...") == "..."


def test_the_places_and_the_rhythm_are_fixed() -> None:
    assert shipped_places(1) == shipped_places(1)
    assert {place.path.suffix for place in shipped_places(1)} == {".py", ".ts"}
    keys, again = rhythm(7), rhythm(7)
    seconds = [next(keys) for _ in range(4000)]
    assert seconds == [next(again) for _ in range(4000)]
    middle = percentile([1000 * second for second in seconds], 50)
    assert middle is not None and 105 < middle < 135


def test_lines_below_are_typed_behind_enter(tmp_path) -> None:
    path = tmp_path / "file.py"
    path.write_text("def f():\n    one()\n    two()\nlast\n")
    document = Document.at(Place(path, 1), 0, 2)
    assert document.text == "def f():\n    \nlast\n"
    keys = []
    while key := document.next_key():
        keys.append(key)
        document.apply(document.typed(key))
    assert keys == [*"one()", "\n    ", *"two()"]
    assert document.text == path.read_text()
    assert (document.line, document.column) == (2, 9)


def test_only_ours_types_more_lines(tmp_path) -> None:
    path = tmp_path / "file.py"
    path.write_text("def f():\n    one_two()\n    three()\nlast\n")
    document = Document.at(Place(path, 1), 3, 1, 1)
    assert document.text == "def f():\n    \nlast\n"
    keys = []
    for _ in range(2):
        while key := document.next_key():
            keys.append(key)
            document.apply(document.typed(key))
        keys.append("|")
        document.go_on()
    assert "".join(keys) == "one|_two()\n    three()|"


def test_ours_is_set_beside_the_peer() -> None:
    rows = [
        {"subject": name, "mode": "closed", "mean_wait_ms": wait, "evaluated_tokens": tokens}
        | {"keystrokes": 10}
        for name, wait, tokens in (("ours", 20.0, 10), ("llama-server", 500.0, 3000))
    ]
    report.compare(rows)
    assert (rows[0]["times_shorter_wait"], rows[0]["times_fewer_tokens"]) == (25.0, 300.0)
    assert "times_shorter_wait" not in rows[1]


def test_the_peer_sees_what_its_plugin_sends(place) -> None:
    document = Document.at(place, 0)
    here = Surroundings.of(document)
    assert (here.prefix, here.prompt) == ("def mean(values):\n", "    ")
    assert here.suffix == "\n    return total\n\n"
    ahead = here.accepted("total = 1\n    count = 2")
    assert (ahead.prefix, ahead.prompt) == (
        "def mean(values):\n    total = 1\n",
        "    count = 2",
    )
