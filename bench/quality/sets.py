"""Sets of tasks. A task is a gap in code with the expected text."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bench.quality.holes import MASKS, Hole, holes
from mistral_lsp import languages
from mistral_lsp.context import scan, walk
from mistral_lsp.context.index import Index
from mistral_lsp.context.related import WORD

DATA = Path(__file__).parents[1] / "data"
TRUTH = DATA / "truth"
HUMANEVAL = {
    "humaneval-single": "HumanEval-SingleLineInfilling.jsonl.gz",
    "humaneval-span-light": "HumanEval-RandomSpanInfillingLight.jsonl.gz",
}
SETS = (*HUMANEVAL, "truth")
SEED = 1
TRUTH_HOLES = 5
"""The number of gaps of each kind in each file of the truth set."""
TRIES = 20
IMPORTED = re.compile(
    r"""
    ^[ \t]*(?:from[ ]\S+[ ])?import\s+(?:type\s+)?
        (\([^)]*\)|\{[^}]*\}|[^\n(;'"]+?)\s*(?:\sfrom\s|;|$)
    | ^[ \t]*(?:const|let|var)\s+(\{[^}]*\}|\w+)\s*=\s*require\(
    """,
    re.MULTILINE | re.VERBOSE,
)
"""Matches the names imported by a Python, JavaScript or TypeScript file."""


@dataclass(frozen=True, slots=True)
class Task:
    """A gap between `prefix` and `suffix`. `expected` is the missing text.

    `test` is code to append to the completed file. It raises an error if the file is wrong; ""
    means no test. `workspace` is the folder that contains `path` and other files, or None.
    """

    id: str
    path: str
    language: str
    prefix: str
    suffix: str
    expected: str
    test: str = ""
    workspace: Path | None = None

    @property
    def file(self) -> str:
        """The file with an empty gap."""
        return self.prefix + self.suffix


def load(name: str) -> list[Task]:
    """Loads the tasks of one of the `SETS`, always in the same order."""
    if name == "truth":
        return _truth()
    with gzip.open(DATA / HUMANEVAL[name], "rt", encoding="utf-8") as lines:
        return [_humaneval(json.loads(line)) for line in lines]


def _humaneval(row: dict[str, str]) -> Task:
    """Converts a row of HumanEval-Infilling to a task.

    If the gap consists of whole lines, its last line end is moved to the suffix. So the cursor is
    in an empty line, not before the text of the next line.
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
    """Chooses up to five gaps of each kind in every file of `TRUTH`, always the same ones."""
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


def from_directory(
    folder: Path, mask: str, count: int, most_files: int = 0, cross_file: bool = False
) -> list[Task]:
    """Chooses up to `count` gaps in the files of `folder`, always the same ones.

    At most `most_files` files are used; 0 means all. With `cross_file`, the text of every gap uses
    a name that its file imports from another file of `folder`.
    """
    chance = random.Random(f"{SEED} {mask}")
    files = _code_files(folder)
    if most_files:
        files = chance.sample(files, min(most_files, len(files)))
    index = index_of(folder) if cross_file else None
    tasks: dict[str, Task] = {}
    for _ in range(count * TRIES if files else 0):
        path = chance.choice(files)
        name = path.relative_to(folder).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        found = holes(mask, name, text, chance)
        if index is not None:
            file = f"{folder.resolve()}/{name}"
            found = [hole for hole in found if _uses_another_file(file, text, hole, index)]
        if found:
            task = replace(_task(name, text, mask, chance.choice(found)), workspace=folder)
            tasks.setdefault(task.id, task)
        if len(tasks) == count:
            break
    return list(tasks.values())


@cache
def index_of(folder: Path) -> Index:
    """Indexes the definitions in the files of a folder."""
    index = Index()
    root = folder.resolve()
    for path in walk.walk(root):
        found = scan.read(root, path)
        if found is not None:
            index.put(found, root)
    return index


def _uses_another_file(file: str, text: str, hole: Hole, index: Index) -> bool:
    """Whether the missing text uses a name imported from another file.

    A name that is not imported does not count, even if another file defines it: a parameter `url`
    has nothing to do with that file's function `url`.
    """
    start, end = hole
    imports = IMPORTED.findall(text[:start] + "\n" + text[end:])
    imported = set(WORD.findall(" ".join(map(" ".join, imports))))
    return any(
        index.defining(word) - {file} for word in WORD.findall(text[start:end]) if word in imported
    )


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
