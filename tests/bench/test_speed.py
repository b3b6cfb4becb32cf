"""Tests the speed checks on the real server process with the scripted engine."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from bench.speed import changing, holes, moving, windows, working
from bench.speed.__main__ import CHECKS, parse_options, private_home
from bench.speed.changing import _steps
from bench.speed.editor import Editor, File, Setup, Shown, work
from bench.speed.extent import Extent
from bench.speed.places import Spot, cut, half_typed, long_lines, spread_out
from bench.speed.spinner import busy_cores
from bench.speed.vocabulary import Vocabulary
from tests.support.waiting import wait_until

ANSWER = "value + 1"
SMALL = Extent(
    rest_seconds=0.05,
    answered_seconds=0.05,
    adapt_seconds=0.1,
    edit_pauses={"rested": 0.1, "hurried": 0.0},
    edited_places=1,
    returns=2,
    restarts=1,
    jumps=8,
    opened_files=("csv.py", "textwrap.py"),
    second_windows=1,
    typed_lines=1,
    cancels=1,
    holes=2,
    hole_rest_seconds=0.05,
)
LINES = ["import os", "", "def total(values):", "    return sum(values) + os.getpid() + offset", ""]


@pytest.fixture
def setup(tmp_path: Path):
    """Gives a `Setup` with short pauses and a model that always writes the same text."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"answers": [{"after": "", "answer": f"{ANSWER}\n"}]}))
    with private_home() as environment:
        environment = {**environment, "MISTRAL_LSP_SCRIPT": str(script)}
        yield Setup("scripted", window=4096, environment=environment, extent=SMALL)


def test_places_are_before_names_in_code() -> None:
    spots = half_typed(LINES)
    assert [LINES[spot.line][: spot.column] for spot in spots] == ["    return sum(values) + "]
    assert cut(LINES, spots)[3] == "    return sum(values) + "
    assert cut(LINES, spots)[:3] == LINES[:3]


def test_the_long_files_are_long_and_their_places_fixed() -> None:
    for which in (0, 1):
        lines = long_lines(which)
        assert 2500 < len(lines) < 4000
        spots = spread_out(half_typed(lines), 16)
        assert spots == spread_out(half_typed(lines), 16)
        assert len({spot.line for spot in spots}) == 16 and spots != sorted(spots)


def test_an_edit_changes_the_file_as_the_server_is_told() -> None:
    class Deaf:
        def change(self, *arguments: object) -> None:
            pass

    editor, file = Editor(Deaf()), File("file:///a.py", ["one", "two", "three"])
    behind = editor.edit(file, Spot(0, 1), Spot(2, 2), "X\nYY")
    assert (file.lines, behind, file.version) == (["oX", "YYree"], Spot(1, 2), 2)
    assert editor.edit(file, Spot(0, 1), behind, "") == Spot(0, 1)
    assert file.lines == ["oree"]
    letters = {editor.type_letter(file, Spot(0, 0)) and file.lines[0][0] for _ in range(52)}
    assert len(letters) == 52


def test_the_edits_undo_themselves() -> None:
    class Deaf:
        def change(self, *arguments: object) -> None:
            pass

    editor, file = Editor(Deaf()), File("file:///a.py", [*LINES, *map(str, range(30))])
    steps = list(_steps(editor, file, Spot(3, 10)))
    kinds = [kind for kind, _, _ in steps]
    assert kinds == ["enter", "paste", "undo", "insert_above", "delete_above"]
    assert steps[1][1].count("\n") == changing.PASTED_LINES
    assert len(file.lines) == len(LINES) + 31 and file.lines[:3] == LINES[:3]
    line, column = steps[-1][2]
    assert file.lines[line][:4] == "    " and column == 4 + 3  # a letter for each of three steps


def test_returns_and_jumps_are_timed(setup) -> None:
    found = moving.check_revisit(setup)
    assert found["first_ms"]["n"] == 4 and found["earlier_run_first_ms"]["n"] == 2
    assert found["empty"] == 0 and found["asked_model"] == 6 and found["first_ms"]["p50"] > 0
    found = moving.check_jump(setup)
    # The same answer everywhere is not one that the filters let through everywhere.
    assert found["jumps"] == 8 and found["first_ghost_text_ms"]["n"] == 8 - found["empty"] > 0
    assert found["evaluated_tokens"]["p50"] > 0


def test_a_window_read_ahead_is_warm(setup, monkeypatch) -> None:
    look = Editor.look

    def look_until_it_is_read(editor: Editor, file: File, spot: Spot) -> None:
        before = work(editor)["evaluated"]
        look(editor, file, spot)
        wait_until(lambda: work(editor)["evaluated"] > before)

    monkeypatch.setattr(Editor, "look", look_until_it_is_read)
    found = moving.check_open(setup)
    assert found["files"] == 2 and found["warm"] == 2
    monkeypatch.setattr(Editor, "look", lambda *arguments: None)
    assert moving.check_open(setup)["warm"] == 0


def test_gaps_are_filled_at_once_and_after_a_rest(setup) -> None:
    found = holes.check_holes(setup)
    assert found["holes"] == 2
    assert found["at_once_exact_percent"] == found["rested_exact_percent"] == 0.0
    assert found["at_once_empty"] == found["rested_empty"] == 0
    assert found["at_once_line_ms"]["n"] == 2


def test_what_edits_cost_is_compared_with_the_text(setup, monkeypatch) -> None:
    class Bytes:
        def __init__(self, model: str) -> None:
            pass

        def count(self, text: str) -> int:
            return len(text)

    monkeypatch.setattr(changing, "Vocabulary", Bytes)
    found = changing.check_edits(setup)
    kinds = ["enter", "paste", "undo", "insert_above", "delete_above"]
    assert list(found) == [f"{kind}, {pause}" for pause in SMALL.edit_pauses for kind in kinds]
    assert all(len(row["evaluated"]) == len(row["changed"]) == 1 for row in found.values())
    assert found["undo, rested"]["asked_model"] == 1
    assert found["insert_above, rested"]["changed"] == [10 * changing.INSERTED_ABOVE + 1]


def test_a_second_window_is_measured(setup) -> None:
    found = windows.check_second_window(setup)
    assert found["more_mb"]["p50"] > 10
    assert found["request_to_first_ghost_text_ms"]["n"] == 1
    assert (
        found["start_to_first_ghost_text_ms"]["p50"]
        > found["request_to_first_ghost_text_ms"]["p50"]
    )


def test_work_behind_the_typing_is_measured(setup, monkeypatch) -> None:
    places = working.shipped_places(1)[:1]
    monkeypatch.setattr(working, "shipped_places", lambda count: places)
    found = working.check_busy(setup)
    assert found["quiet_line_ms"]["n"] > 0 and found["busy_line_ms"]["n"] > 0
    assert found["ratio"] > 0
    assert working.check_cancel(setup)["cancels"] == 1
    found = working.check_waste(setup)
    assert found["human"]["keystrokes"] > 10 and found["accept"]["decoded_tokens"] > 0


def test_a_busy_machine_is_told_by_what_needs_the_model() -> None:
    asked = Shown("a", 20, 30, 40, 2, asked_model=True)
    late = Shown("a", 15, 15, 15, 0, asked_model=False)
    empty = Shown("", 5, 5, 5, 2, asked_model=True)
    assert working._line_ms([asked, late, empty]) == {"n": 1, "p50": 30, "p95": 30}


def test_the_spinner_leaves() -> None:
    before = {child.pid for child in psutil.Process().children()}
    with busy_cores():
        assert len({child.pid for child in psutil.Process().children()} - before) == 1
    assert {child.pid for child in psutil.Process().children()} <= before


def test_tokens_are_those_of_the_model() -> None:
    vocabulary = Vocabulary("")
    assert vocabulary.count("") == 0
    assert vocabulary.count("\n    ") in (1, 2)
    text = "def total(values):\n    return sum(values)\n"
    assert 8 <= vocabulary.count(text) < len(text) / 2
    assert abs(vocabulary.count(text * 2) - 2 * vocabulary.count(text)) <= 2


def test_the_command_line_names_checks() -> None:
    assert parse_options(["jump", "open"]).checks == ["jump", "open"]
    with pytest.raises(SystemExit):
        parse_options(["fly"])
    assert set(CHECKS) >= {"revisit", "second-window", "waste"}
