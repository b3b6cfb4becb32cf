"""Keeps results of tasks in a JSONL file for resuming, and columns in a CSV file for comparing."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.quality.metrics import Judgement

ROOT = Path(__file__).parents[2]
WITHIN = 1.0
"""Percentage points by which a column may be worse than in the committed file."""
HIGHER_IS_BETTER = ("shown", "exact", "similarity", "first_line", "passed", "valid", "auroc")
LOWER_IS_BETTER = ("echo",)
KEYS = ("set", "strategy", "engine")

Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """All that a result depends on, except the task."""

    set: str
    strategy: str
    engine: str
    model: str
    code: str


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a finished task. `ms` is the time of the answer without its judgement."""

    run: Run
    task: str
    text: str
    replaced: int
    judgement: Judgement
    ms: float


class Finished:
    """The results in a file, by run and task. A new result is appended at once."""

    def __init__(self, path: Path | None):
        """Reads the file if it exists. If `path` is None, nothing is kept in a file."""
        self._path = path
        self._results: dict[tuple[Run, str], Result] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                result = _read(line)
                if result is not None:
                    self._results[result.run, result.task] = result

    def find(self, run: Run, task: str) -> Result | None:
        """Finds the result of an earlier run with the same code and model, or gives None."""
        return self._results.get((run, task))

    def append(self, result: Result) -> None:
        """Appends a result to the file."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(result)) + "\n")


def _read(line: str) -> Result | None:
    """Decodes a line of the file. None if it is truncated or in an older format."""
    try:
        data = json.loads(line)
        run, judgement = Run(**data.pop("run")), Judgement(**data.pop("judgement"))
        return Result(run=run, judgement=judgement, **data)
    except (ValueError, TypeError, KeyError):
        return None


def code_version() -> str:
    """Gives a digest of all source files that affect the results."""
    sources = [*(ROOT / "mistral_lsp").rglob("*.py"), *(ROOT / "bench" / "quality").glob("*.py")]
    sources += [ROOT / "mistral_lsp" / "models" / "registry.toml"]
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write_csv(path: Path, rows: Sequence[Columns]) -> None:
    """Writes the quality columns, one line for each row. Missing values are empty cells."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Reads the rows that `write_csv` wrote. Their values are texts."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compare(rows: Sequence[Columns], committed: Sequence[dict[str, str]]) -> list[str]:
    """Gives a sentence for each column that is worse than in `committed` by more than `WITHIN`."""
    before = {tuple(row[key] for key in KEYS): row for row in committed}
    problems = []
    for row in rows:
        name = " · ".join(row[key] for key in KEYS)
        old = before.get(tuple(row[key] for key in KEYS))
        if old is None:
            problems.append(f"{name}: there is no committed row to compare with.")
        elif int(old["n"]) != row["n"]:
            problems.append(f"{name}: {row['n']} tasks can't be compared with {old['n']}.")
        else:
            problems += [f"{name}: {problem}" for problem in _worse(row, old)]
    return problems


def _worse(row: Columns, old: dict[str, str]) -> list[str]:
    problems = []
    for column in (*HIGHER_IS_BETTER, *LOWER_IS_BETTER):
        if old.get(column, "") == "" or row[column] is None:
            continue
        fall = float(old[column]) - row[column]
        if column in LOWER_IS_BETTER:
            fall = -fall
        if fall > WITHIN:
            problems.append(
                f"{column} was {old[column]} and is {row[column]}, {fall:.2f} points worse."
            )
    return problems
