"""The sets of tasks: gaps in code, each with the text that belongs there."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.quality_holes import MASKS, Hole, holes
from mistral_lsp import languages

HERE = Path(__file__).parent
TRUTH = HERE / "truth"
HUMANEVAL = {
    "humaneval-single": "HumanEval-SingleLineInfilling.jsonl.gz",
    "humaneval-span-light": "HumanEval-RandomSpanInfillingLight.jsonl.gz",
}
SETS = (*HUMANEVAL, "truth")
SEED = 1
TRUTH_HOLES = 5
"""Holes of each kind in each file of the truth set."""
TRIES = 20


@dataclass(frozen=True, slots=True)
class Task:
    """A gap between `prefix` and `suffix` where `expected` stood.

    `test` is a program that raises unless the completed file in front of it is right; "" where
    there is none.
    """

    id: str
    path: str
    language: str
    prefix: str
    suffix: str
    expected: str
    test: str = ""

    @property
    def file(self) -> str:
        """The file as an editor has it, without the expected text."""
        return self.prefix + self.suffix


def load(name: str) -> list[Task]:
    """The tasks of one of `SETS`, always in the same order."""
    if name == "truth":
        return _truth()
    with gzip.open(HERE / "data" / HUMANEVAL[name], "rt", encoding="utf-8") as lines:
        return [_humaneval(json.loads(line)) for line in lines]


def _humaneval(row: dict[str, str]) -> Task:
    """One gap of HumanEval-Infilling.

    Where the gap is whole lines, its last line end is left standing behind it: an editor's cursor
    is on an empty line then, and not in front of the next line's text.
    """
    expected, suffix = row["canonical_solution"], row["suffix"]
    if expected.endswith("\n"):
        expected, suffix = expected[:-1], "\n" + suffix
    return Task(
        id=row["task_id"],
        path="solution.py",
        language="python",
        prefix=row["prompt"],
        suffix=suffix,
        expected=expected,
        test=f"{row['test']}\ncheck({row['entry_point']})\n",
    )


def _truth() -> list[Task]:
    """Five holes of each kind in every file of our own small projects, by a fixed seed."""
    tasks = []
    for path in _code_files(TRUTH):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(TRUTH).as_posix()
        for mask in MASKS:
            chance = random.Random(f"{SEED} {name} {mask}")
            found = holes(mask, name, text, chance)
            chosen = sorted(chance.sample(found, min(TRUTH_HOLES, len(found))))
            tasks += [_task(name, text, mask, hole) for hole in chosen]
    return tasks


def from_directory(folder: Path, mask: str, count: int) -> list[Task]:
    """`count` holes in files of `folder`, by a fixed seed; fewer where it has no more to offer."""
    chance = random.Random(f"{SEED} {mask}")
    files = _code_files(folder)
    tasks: dict[str, Task] = {}
    for _ in range(count * TRIES if files else 0):
        path = chance.choice(files)
        name = path.relative_to(folder).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        found = holes(mask, name, text, chance)
        if found:
            task = _task(name, text, mask, chance.choice(found))
            tasks.setdefault(task.id, task)
        if len(tasks) == count:
            break
    return list(tasks.values())


def _code_files(folder: Path) -> Sequence[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and languages.find("", path.name).grammar
    )


def _task(name: str, text: str, mask: str, hole: Hole) -> Task:
    start, end = hole
    return Task(
        id=f"{name}:{start}-{end} {mask}",
        path=name,
        language=languages.find("", name).name,
        prefix=text[:start],
        suffix=text[end:],
        expected=text[start:end],
    )
