"""Tests the quality bench: its sandbox, its verdicts on suggestions, and its repeatability."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.quality import __main__ as quality, results, sandbox, sets
from bench.quality.direct import DirectEngine
from bench.quality.metrics import Judgement, at_gate, auroc, judge, summarise
from bench.quality.results import Finished, Run
from bench.quality.sets import Task
from bench.quality.strategies import STRATEGIES, Shown, as_typed, llama_vim_shows
from tests.support.engine import PlayedEngine
from tests.support.waiting import PATIENCE_SECONDS, wait_until

TASK = Task(
    id="sum",
    path="sum.py",
    language="python",
    prefix="def total(numbers):\n    result = 0\n    for number in numbers:\n",
    suffix="\n    return result\n",
    expected="        result += number",
    test="assert total([1, 2, 3]) == 6\n",
)
CONNECT = "import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\n"
FORKS = """
import os, time
for _ in range(50):
    try:
        if os.fork() == 0:
            time.sleep(30)
    except Exception:
        pass
raise SystemExit
"""


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize(
    ("program", "passed"),
    [
        ("import math\nassert math.sqrt(4) == 2", True),
        ("print('x' * 100_000)", True),
        ("assert 1 == 2", False),
        ("this is no program", False),
        ("raise SystemExit(0)", False),
        ("import os\nos._exit(0)", False),
        ("text = 'x' * (1 << 30)", False),
        ("kept = []\nwhile True: kept.append(' ' * 1_000_000 + str(len(kept)))", False),
        ("open('file', 'w').write('x')", False),
        ("import os\nos.system('true')", False),
        ("import ctypes", False),
    ],
)
def test_a_program_passes_or_not(program, passed, isolated) -> None:
    assert sandbox.passes(program, isolated=isolated) is passed


@pytest.fixture(autouse=True)
def patient(monkeypatch) -> None:
    """Raises the sandbox's time limit, since a busy machine takes long to start a program."""
    monkeypatch.setattr(sandbox, "WALL_SECONDS", PATIENCE_SECONDS)


def test_an_endless_loop_is_ended_by_its_cpu_time() -> None:
    assert not sandbox.passes("while True: pass")


def test_a_sleeper_is_ended_by_the_clock(monkeypatch) -> None:
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.5)
    assert not sandbox.passes("import time\ntime.sleep(30)")
    wait_until(lambda: guarded_processes() == 0)


@pytest.mark.parametrize("isolated", [True, False])
def test_nothing_can_be_reached_over_the_network(isolated) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        assert not sandbox.passes(CONNECT.format(port=listener.getsockname()[1]), isolated=isolated)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.skipif(not sandbox.namespaces(), reason="the system gives no namespaces")
def test_the_namespace_alone_keeps_the_network_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = CONNECT.format(port=listener.getsockname()[1])
        command = [sys.executable, "-c", code]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        command = [*sandbox.namespaces(), *command]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("isolated", [True, False])
def test_forks_leave_nothing_behind(isolated) -> None:
    assert not sandbox.passes(FORKS, isolated=isolated)
    wait_until(lambda: guarded_processes() == 0)


def guarded_processes() -> int:
    return sum(
        any("addaudithook(guard)" in argument for argument in process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
    )


def test_marks_of_a_right_answer() -> None:
    found = judge(TASK, Shown("        result += number  ", confidence=0.9))
    assert found.exact and found.first_line and found.passed and found.valid and found.right
    assert found.similarity == 1.0 and not found.echo and found.confidence == 0.9


def test_marks_of_a_wrong_answer() -> None:
    found = judge(TASK, Shown("        result = number", confidence=0.4))
    assert not found.exact and not found.passed and found.valid
    assert found.similarity == pytest.approx(1 - 1 / 24)


def test_marks_of_nothing() -> None:
    found = judge(dataclasses.replace(TASK, test="pass"), Shown(""))
    assert not found.shown and found.passed is False and found.valid is None


def test_a_test_may_pass_without_the_expected_text() -> None:
    found = judge(TASK, Shown("        result = result + number"))
    assert not found.exact and found.passed and found.right


def test_a_suggestion_must_not_break_the_file() -> None:
    assert judge(TASK, Shown("        result += (number")).valid is False
    assert judge(TASK, Shown("        pass")).valid is True


def test_closers_that_are_replaced_are_not_counted_twice() -> None:
    task = Task("call", "a.py", "python", "print(", ")\n", "'a'")
    assert judge(task, Shown("'a')", replaced=1)).exact
    assert not judge(task, Shown("'a')")).exact
    assert judge(task, Shown("'a')")).echo


def test_a_first_line_is_the_first_with_text() -> None:
    task = Task("block", "a.py", "python", "if a:", "\n", "\n    b()\n    c()")
    assert judge(task, Shown("\n    b()")).first_line
    assert not judge(task, Shown("\n    c()")).first_line


def test_auroc_counts_ties_half() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.1], [0.9]) == 0.0
    assert auroc([0.5, 0.9], [0.5]) == 0.75
    assert auroc([], [0.5]) is None


async def test_a_model_that_answers_the_text_below_back_is_an_echo() -> None:
    engine = PlayedEngine(TASK.suffix)
    raw = judge(TASK, await STRATEGIES["prefix-only"](TASK, engine))
    assert summarise([raw])["echo"] == 100.0
    for strategy in ("ours", "llama.vim"):
        assert (await STRATEGIES[strategy](TASK, engine)).text == "", "a tool drops it"


async def test_a_line_that_is_typed_gets_the_same_answer_with_few_tokens_a_key() -> None:
    engine = DirectEngine("llama_cpp", threads=1, window=512)
    task = dataclasses.replace(TASK, prefix=f"{TASK.prefix}        result +=", test="")
    typed = await as_typed(task, engine)
    assert len(engine.tokens_per_key) == len("result +=")
    assert max(engine.tokens_per_key[1:]) <= 4
    assert typed.text and typed == await STRATEGIES["ours"](task, engine)


def test_what_llama_vim_shows() -> None:
    assert llama_vim_shows("        result += number\n\n", TASK) == "        result += number"
    assert llama_vim_shows("    return result\n", TASK) == ""
    assert llama_vim_shows("\n    return result\n", TASK) == ""
    indented = dataclasses.replace(TASK, prefix=TASK.prefix + "    ")
    assert llama_vim_shows("        result", indented) == "    result"


async def test_a_long_file_is_cut_to_the_window() -> None:
    engine = PlayedEngine("x", window=1000)
    line = "value = compute(value)\n"
    task = dataclasses.replace(TASK, prefix=line * 500, suffix=f"\n{line * 500}")
    for strategy in STRATEGIES.values():
        if strategy is as_typed:
            continue  # it needs an engine with a KV cache; see the test below
        await strategy(task, engine)
        size = sum(len(part.text) for part in engine.prompts[-1].parts)
        assert 500 < size < 1000 - 128


@pytest.mark.parametrize(
    ("name", "count"), [("humaneval-single", 1033), ("humaneval-span-light", 164), ("truth", 134)]
)
def test_sets_stay_the_same(name, count) -> None:
    tasks = sets.load(name)
    assert len(tasks) == len({task.id for task in tasks}) == count
    assert tasks == sets.load(name)
    if name == "truth":
        for task in tasks:
            text = (sets.TRUTH / task.path).read_text("utf-8")
            assert task.prefix + task.expected + task.suffix == text
    else:
        for task in tasks[::100]:
            assert judge(task, Shown(task.expected)).right


def test_gaps_across_files_use_what_is_imported(tmp_path) -> None:
    (tmp_path / "prices.py").write_text(
        "def rounded(price):\n    return price\n\n\ndef url():\n    return 1\n"
    )
    (tmp_path / "shop.py").write_text(
        "from prices import rounded\n\n\ndef open_page(url):\n    return fetch_page(url)\n\n\n"
        "def total(order):\n    return rounded(order)\n"
    )
    tasks = sets.from_directory(tmp_path, "line", 9, cross_file=True)
    assert [task.expected for task in tasks] == ["return rounded(order)"]


def test_any_folder_makes_tasks() -> None:
    tasks = sets.from_directory(sets.TRUTH / "jobs", "block", 5)
    assert len(tasks) == 5 and all(task.expected.startswith("\n") for task in tasks)


def test_the_true_python_project_runs(tmp_path) -> None:
    command = [sys.executable, "-B", "-m", "agenda", "--file", str(tmp_path / "agenda.json")]
    for arguments in (["add", "Standup", "today", "9:30", "--repeat", "daily x5"], ["list"]):
        done = subprocess.run(
            [*command, *arguments],
            cwd=sets.TRUTH,
            env={**os.environ, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Standup" in done.stdout


@pytest.fixture(scope="module")
def engine() -> DirectEngine:
    return DirectEngine("llama_cpp")


async def test_an_answer_depends_on_its_prompt_alone(engine) -> None:
    tasks = sets.load("humaneval-single")[::350]
    run = Run("single", "ours", "llama_cpp", engine.identity, "code")
    nowhere = Finished(None)
    first = [await quality.answer(run, task, engine, nowhere) for task in tasks]
    second = [await quality.answer(run, task, engine, nowhere) for task in tasks[::-1]]
    for one, other in zip(first, second[::-1]):
        assert dataclasses.replace(one, ms=0) == dataclasses.replace(other, ms=0)


def run_bench(monkeypatch, *arguments: str) -> int:
    command = [
        "quality",
        "humaneval-single",
        "--limit",
        "3",
        "--strategy",
        "ours",
        "llama.vim",
        *arguments,
    ]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stopped:
        quality.main()
    return int(stopped.value.code or 0)


def test_runs_go_on_and_are_compared(monkeypatch, capsys, tmp_path, engine) -> None:
    monkeypatch.setattr(quality, "DirectEngine", lambda *_: engine)
    kept, sheet = tmp_path / "kept.jsonl", tmp_path / "quality.csv"
    arguments = ("--resume", str(kept), "--csv", str(sheet), "--compare", str(sheet))
    assert run_bench(monkeypatch, *arguments[:4]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    lines, columns = kept.read_text(), sheet.read_bytes()
    assert lines.count("\n") == 6

    kept.write_text("".join(lines.splitlines(keepends=True)[:-1]) + '{"run": {"se')
    assert run_bench(monkeypatch, *arguments) == 0
    assert sheet.read_bytes() == columns, "the one that was cut off is done again"
    assert without_times(json.loads(capsys.readouterr().out.splitlines()[-1])) == without_times(
        first
    )

    better(sheet, "similarity", 1.5)
    assert run_bench(monkeypatch, "--resume", str(kept), "--compare", str(sheet)) == 1
    assert "similarity was" in capsys.readouterr().err


def without_times(report: dict) -> list[dict]:
    return [{**row, "ms_per_task": 0} for row in report["quality"]]


def better(sheet: Path, column: str, points: float) -> None:
    rows = results.read_csv(sheet)
    rows[0][column] = str(float(rows[0][column]) + points)
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


ROW = {"set": "a", "strategy": "ours", "engine": "e", "n": 10, "exact": 50.0, "echo": 2.0}
COLUMNS = dict.fromkeys((*results.HIGHER_IS_BETTER, *results.LOWER_IS_BETTER))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"exact": "51.0"}, None),
        ({"exact": "51.01"}, "exact was 51.01 and is 50.0"),
        ({"echo": "0.5"}, "echo was 0.5"),
        ({"echo": "9"}, None),
        ({"auroc": "80"}, None),
        ({"n": "11"}, "can't be compared"),
        ({"engine": "other"}, "no committed row"),
    ],
)
def test_a_fall_of_more_than_a_point_is_told(changes, said) -> None:
    committed = dict.fromkeys(COLUMNS, "") | {name: str(cell) for name, cell in ROW.items()}
    found = results.compare([COLUMNS | ROW], [committed | changes])
    assert (not found) if said is None else (said in found[0])


def test_a_plot_is_drawn(tmp_path) -> None:
    from bench.quality.plot import plot_confidence

    run = Run("set", "ours", "engine", "model", "code")
    marks = judge(TASK, Shown(TASK.expected, confidence=0.8))
    result = results.Result(run, "task", TASK.expected, 0, marks, 1.0)
    plot_confidence(tmp_path / "plot.png", {run: [result]})
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_the_gate_keeps_what_is_likely_and_says_how_much_of_it_is_right() -> None:
    def judged(right: bool, confidence: float | None) -> Judgement:
        return Judgement(confidence is not None, right, 1.0, right, None, True, False, confidence)

    judged_ones = [judged(True, 0.9), judged(True, 0.5), judged(False, 0.2), judged(False, 0.01)]
    found = at_gate([*judged_ones, judged(False, None)], 0.1)
    assert found == {"kept": 75.0, "right": 50.0, "right_of_kept": 66.67}
    assert at_gate([], 0.1) == {"kept": None, "right": None, "right_of_kept": None}
