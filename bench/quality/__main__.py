"""Measures the quality of our suggestions, and of other tools' ways to ask the same model.

Run as `python -m bench.quality SET...`, or with `--directory` on any real code. Prints a table and
one JSON object. The figures do not depend on the machine's speed, and are the same in every run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from bench.quality import sandbox
from bench.quality.direct import DirectEngine
from bench.quality.holes import MASKS
from bench.quality.metrics import at_gate, judge, mean, summarise
from bench.quality.results import (
    Columns,
    Finished,
    Result,
    Run,
    code_version,
    compare,
    read_csv,
    write_csv,
)
from bench.quality.sets import SETS, Task, from_directory, load
from bench.quality.strategies import STRATEGIES
from bench.support.statistics import percentile
from mistral_lsp.config import Settings

ENGINES = ("llama_cpp", "ctransformers")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: the results for a set of tasks with one strategy."""

    run: Run
    results: Sequence[Result]
    tokens_per_key: Sequence[int] = ()

    def columns(self) -> Columns:
        """Gives the columns of the CSV file. They do not depend on the machine's speed."""
        return {
            "set": self.run.set,
            "strategy": self.run.strategy,
            "engine": self.run.engine,
            "n": len(self.results),
            **summarise([result.judgement for result in self.results]),
        }

    def at_gate(self) -> dict[str, float | None]:
        """Gives the effect of the default `minConfidence`, which is not applied in the bench."""
        return at_gate([result.judgement for result in self.results], Settings().min_confidence)

    def keys(self) -> dict[str, float | None]:
        """Gives percentiles of the tokens evaluated per key; None if no lines were typed."""
        return {
            "tokens_per_key_p50": percentile(self.tokens_per_key, 50),
            "tokens_per_key_p95": percentile(self.tokens_per_key, 95),
        }

    def ms(self) -> float:
        """Gives the mean milliseconds per task. Each task starts with an empty KV cache."""
        return round(mean([result.ms for result in self.results]) or 0.0, 1)


def main() -> None:
    """Runs the bench. Exits with 1 if `--compare` finds a worse column."""
    options = parse_options()
    console = Console(stderr=True)
    rows = asyncio.run(measure(options))
    print_table(rows)
    columns = [row.columns() for row in rows]
    if options.csv:
        write_csv(options.csv, columns)
    if options.plot:
        from bench.quality.plot import plot_confidence

        plot_confidence(options.plot, {row.run: row.results for row in rows})
    problems = compare(columns, read_csv(options.compare)) if options.compare else []
    for problem in problems:
        console.print(f"Worse than {options.compare.name}: {problem}", style="red", markup=False)
    times = [{"at_gate": row.at_gate(), "ms_per_task": row.ms(), **row.keys()} for row in rows]
    report = [{**quality, **took} for quality, took in zip(columns, times)]
    sys.stdout.write(json.dumps({"quality": report, "worse": problems}) + "\n")
    sys.exit(1 if problems else 0)


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses `arguments`; if None, parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    add = parser.add_argument
    add("sets", nargs="*", metavar="SET[/N]", help=f"{', '.join(SETS)}; /N: only each Nth task")
    add("--strategy", nargs="+", choices=[*STRATEGIES, "all"], default=["ours"])
    add("--engine", choices=ENGINES, default="llama_cpp")
    add("--model", default="", help="a GGUF file; the embedded model where none is named")
    add("--threads", type=int, default=0)
    add("--window", type=int, default=0, help="tokens; default: all that the model was made for")
    add("--directory", type=Path, help="also make tasks of the code in a folder")
    add("--mask", choices=MASKS, default="line", help="what to leave out of that code")
    add("--files", type=int, default=0, help="in at most so many of its files; default: all")
    add("--cross-file", action="store_true", help="only lines that name what other files define")
    add("--count", type=int, default=100, help="how many tasks to make of that code")
    add("--limit", type=int, metavar="N", help="at most N tasks of a set")
    add("--resume", type=Path, metavar="FILE", help="keep finished tasks there; skip those in it")
    add("--csv", type=Path, metavar="FILE", help="write the quality columns")
    add("--compare", type=Path, metavar="FILE", help="fail where a column is a point worse than it")
    add("--plot", type=Path, metavar="FILE", help="draw how sure right and wrong answers were")
    options = parser.parse_args(arguments)
    for name, _, every in (named.partition("/") for named in options.sets):
        if name not in SETS or not (every or "1").isdigit() or every == "0":
            parser.error(f"sets are {', '.join(SETS)}, or a part of one, like {SETS[0]}/20")
    return options


async def measure(options: argparse.Namespace) -> list[Row]:
    """Does all tasks of all sets with all strategies; reuses the results in the `--resume` file."""
    strategies = list(STRATEGIES) if "all" in options.strategy else options.strategy
    sets = _tasks(options)
    if any(task.test for tasks in sets.values() for task in tasks):
        sandbox.require()
    engine = DirectEngine(options.engine, options.model, options.threads, options.window)
    finished = Finished(options.resume)
    code = code_version()
    rows = []
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for name, tasks in sets.items():
            for strategy in strategies:
                run = Run(name, strategy, options.engine, engine.identity, code)
                bar = progress.add_task(f"{name} · {strategy}", total=len(tasks))
                results = []
                engine.tokens_per_key.clear()
                for task in tasks:
                    results.append(await answer(run, task, engine, finished))
                    progress.advance(bar)
                rows.append(Row(run, results, engine.tokens_per_key.copy()))
    return rows


def _tasks(options: argparse.Namespace) -> dict[str, list[Task]]:
    names = options.sets or ([] if options.directory else SETS)
    sets = {named: _part(*named.partition("/")[::2]) for named in names}
    if options.directory:
        named = f"{options.directory.name}-{options.mask}"
        wanted = (options.mask, options.count, options.files, options.cross_file)
        sets[f"{named}-cross-file" if options.cross_file else named] = from_directory(
            options.directory, *wanted
        )
    return {name: tasks[: options.limit] for name, tasks in sets.items()}


def _part(name: str, every: str) -> list[Task]:
    return load(name)[:: int(every or 1)]


async def answer(run: Run, task: Task, engine: DirectEngine, finished: Finished) -> Result:
    """Gives the result of a task: the one in `finished`, or else a new one."""
    known = finished.find(run, task.id)
    if known is not None:
        return known
    started = time.perf_counter()
    shown = await STRATEGIES[run.strategy](task, engine)
    ms = round((time.perf_counter() - started) * 1000, 1)
    result = Result(run, task.id, shown.text, shown.replaced, judge(task, shown), ms)
    finished.append(result)
    return result


def print_table(rows: Sequence[Row]) -> None:
    """Prints the columns about quality. There is a row for each set and strategy."""
    table = Table(caption="percent; ms is the machine's, all else the model's and the code's")
    for name in [*rows[0].columns(), "ms"]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        cells = ["-" if cell is None else str(cell) for cell in row.columns().values()]
        table.add_row(*cells, str(row.ms()))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
