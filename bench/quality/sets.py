"""The sets of tasks: gaps in code, each with the text that belongs there."""

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
"""Holes of each kind in each file of the truth set."""
TRIES = 20
IMPORTED = re.compile(
    r"""
    ^[ \t]*(?:from[ ]\S+[ ])?import\s+(?:type\s+)?
        (\([^)]*\)|\{[^}]*\}|[^\n(;'"]+?)\s*(?:\sfrom\s|;|$)
    | ^[ \t]*(?:const|let|var)\s+(\{[^}]*\}|\w+)\s*=\s*require\(
    """,
    re.MULTILINE | re.VERBOSE,
)
"""What a file of Python, JavaScript or TypeScript imports by name."""


@dataclass(frozen=True, slots=True)
class Task:
    """A gap between `prefix` and `suffix` where `expected` stood.

    `test` is a program that raises unless the completed file in front of it is right; "" where
    there is none. `workspace` is the folder that `path` lies in, where that is real code.
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
        """The file as an editor has it, without the expected text."""
        return self.prefix + self.suffix


def load(name: str) -> list[Task]:
    """The tasks of one of `SETS`, always in the same order."""
    if name == "truth":
        return _truth()
    with gzip.open(DATA / HUMANEVAL[name], "rt", encoding="utf-8") as lines:
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


def from_directory(
    folder: Path, mask: str, count: int, most_files: int = 0, cross_file: bool = False
) -> list[Task]:
    """`count` holes in files of `folder`, by a fixed seed; fewer where it has no more to offer.

    In no more than `most_files` of them, if that is not 0. With `cross_file`, only holes in lines
    that use what their file imports and another file of `folder` defines.
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
    """What the files of a folder define."""
    index = Index()
    root = folder.resolve()
    for path in walk.walk(root):
        found = scan.read(root, path)
        if found is not None:
            index.put(found, root)
    return index


def _uses_another_file(file: str, text: str, hole: Hole, index: Index) -> bool:
    """Whether the missing text names what the rest of the file imports from another one.

    A name alone is not enough: a parameter `url` has nothing to do with a function `url` elsewhere.
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
