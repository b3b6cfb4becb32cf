"""Measures how many editors one llama-server can serve, by letting more and more type at once.

Run as `python -m bench.load`, or with `--url` for a server that already runs. Each editor is a
mistral-lsp process of its own, which types at its own places at a person's pace. Prints a table and
one JSON object; bench/README.md explains each number.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.latency.modes import Run, type_at
from bench.latency.report import AT_ONCE_MS
from bench.load.server import Counters, at, started
from bench.support.servers import EMBEDDED
from bench.support.statistics import machine, percentile
from bench.support.subjects import Ours
from bench.support.typist import Place, shipped_places

EDITORS = (1, 2, 5, 10, 20, 50)
PLACES_IN_A_FILE = 40
WINDOW = 384
"""The window of each editor, in tokens.

It is fixed, since the default size depends on the server's speed, which varies with the load.
"""
LOST_POINTS = 10.0
"""A server is saturated if its answered share falls by more than this many percentage points.

The answered share is the percentage of keys that are answered before the next key. The fall is
measured from the share with one editor.
"""

Figures = dict[str, Any]


def main() -> None:
    """Runs the bench with the options of the command line."""
    options = parse_options()
    met = 0
    rows = []
    for count in options.editors:
        rows.append(measure(count, options, met))
        met += count * options.places
    saturated = [row["editors"] for row in rows if is_saturated(row, rows[0])]
    result = {
        "machine": machine(),
        "server": options.url or f"llama-server, {EMBEDDED.name}, {options.slots} slots",
        "window": WINDOW,
        "rows": rows,
        "saturated_at": saturated[0] if saturated else None,
    }
    print_table(rows)
    sys.stdout.write(json.dumps(result) + "\n")


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses `arguments`; if None, parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    add = parser.add_argument
    add("editors", nargs="*", type=int, default=list(EDITORS), help="how many, one run for each")
    add("--places", type=int, default=1, help="at which every editor types, one after the other")
    add("--lines", type=int, default=3, help="that are typed at each")
    add("--keys", type=int, default=0, help="of the first line of each; default: all")
    add("--slots", type=int, default=8, help="prompts that the server works at together")
    add("--url", default="", help="a server that runs; by default a llama-server is started")
    return parser.parse_args(arguments)


def measure(count: int, options: argparse.Namespace, met: int = 0) -> Figures:
    """Gives the figures for `count` editors; bench/README.md explains them.

    Leaves out the first `met` places: earlier runs used them, so the server may have them cached.
    """
    server = at(options.url) if options.url else started(options.slots, 2 * WINDOW)
    with server as (address, counters), ExitStack() as stack:
        editors = [stack.enter_context(started_editor(address)) for _ in range(count)]
        before = counters()
        begun = time.perf_counter()
        runs = type_together(editors, options, met)
        seconds = time.perf_counter() - begun
        after = counters()
        problems = [editor.client.status()["last_error"] for editor in editors]
    done = {name: after[name] - before[name] for name in before}
    return summarise(runs, seconds, done) | {"errors": sum(map(bool, problems))}


@contextmanager
def started_editor(address: str) -> Iterator[Ours]:
    """Starts an editor whose engine is the model server at `address`."""
    settings = {"deadlineMs": 60000, "httpUrl": address}
    editor = Ours("http", window=WINDOW, settings=settings)
    editor.start()
    try:
        yield editor
    finally:
        editor.stop()


def type_together(editors: Sequence[Ours], options: argparse.Namespace, met: int) -> list[Run]:
    """Types with all editors at once, each at its own places."""
    chosen = places_of(len(editors), options.places, met)
    runs = [Run(f"editor {number}", "human") for number in range(len(editors))]
    together = threading.Barrier(len(editors))

    def type_alone(editor: Ours, run: Run, own: Sequence[Place]) -> None:
        together.wait()
        type_at(editor, run, own, options.keys, lines=options.lines)

    with ThreadPoolExecutor(len(editors)) as pool:
        for done in [pool.submit(type_alone, *each) for each in zip(editors, runs, chosen)]:
            done.result()
    return runs


def places_of(editors: int, places: int, met: int = 0) -> list[list[Place]]:
    """Gives each editor its own places. The choice is the same in every run.

    The first `met` places are left out.
    """
    every = shipped_places(PLACES_IN_A_FILE)
    random.Random(0).shuffle(every)
    left = every[met:]
    if editors * places > len(left):
        raise SystemExit(f"There are {len(left)} places left, too few for {editors} editors.")
    return [left[number * places : (number + 1) * places] for number in range(editors)]


def summarise(runs: Sequence[Run], seconds: float, done: Counters) -> Figures:
    """Computes waiting times, overall and by editor, and the server's work if that is reported."""
    keys = sum(len(run.samples) for run in runs)
    processors = seconds * (os.cpu_count() or 1)

    def per_key(name: str, unit: float = 1.0) -> float | None:
        return round(unit * done[name] / keys, 1) if name in done else None

    return {
        "editors": len(runs),
        "keys": keys,
        "keys_per_second": round(keys / seconds, 1),
        "answered_percent": answered_percent(runs),
        "asked_first_ms": spread(runs, "first_ms"),
        "asked_line_ms": spread(runs, "line_ms"),
        "cold_ms": percentiles([wait for run in runs for wait in run.cold_ms]),
        "answered_percent_by_editor": extremes([answered_percent([run]) for run in runs]),
        "mean_wait_ms_by_editor": extremes([mean_wait_ms(run) for run in runs]),
        "server_busy_percent": percent(done["cpu"], processors) if "cpu" in done else None,
        "editors_busy_percent": percent(sum(run.cpu_seconds for run in runs), processors),
        "server_cpu_ms_per_key": per_key("cpu", 1000.0),
        "evaluated_per_key": per_key("evaluated"),
        "decoded_per_key": per_key("decoded"),
    }


def answered_percent(runs: Sequence[Run]) -> float:
    """Gives the percentage of keys that were answered before the next key."""
    samples = [sample for run in runs for sample in run.samples]
    return percent(sum(sample.answer is not None for sample in samples), len(samples))


def mean_wait_ms(run: Run) -> float:
    """Gives the mean wait for the whole answers that came before the next key, cached or not."""
    waits = [sample.answer.full_ms for sample in run.samples if sample.answer is not None]
    return round(sum(waits) / max(1, len(waits)), 1)


def spread(runs: Sequence[Run], moment: str) -> Figures:
    """Gives percentiles of the field `moment` of uncached answers, such as "first_ms"."""
    answers = [sample.answer for run in runs for sample in run.samples if sample.answer]
    return percentiles([getattr(one, moment) for one in answers if one.full_ms > AT_ONCE_MS])


def percentiles(samples: Sequence[float]) -> Figures:
    """Gives the number of samples, their median (p50) and their 95th percentile (p95)."""
    return {"n": len(samples)} | {f"p{at}": percentile(samples, at) for at in (50, 95)}


def extremes(samples: Sequence[float]) -> Figures:
    """Gives the smallest and the largest of the samples."""
    return {"least": min(samples), "most": max(samples)}


def percent(part: float, whole: float) -> float:
    """Gives `part` as a percentage of `whole`."""
    return round(100 * part / whole, 1) if whole else 0.0


def is_saturated(row: Figures, alone: Figures) -> bool:
    """Whether the answered share of `row` is more than `LOST_POINTS` below that of `alone`.

    `alone` is the row for one editor.
    """
    return bool(row["answered_percent"] < alone["answered_percent"] - LOST_POINTS)


def print_table(rows: Sequence[Figures]) -> None:
    """Prints the figures as a table."""
    table = Table()
    for name in rows[0]:
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    Console(stderr=True, width=250).print(table)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " / ".join(str(one) for name, one in value.items() if name != "n")
    return str(value)


if __name__ == "__main__":
    main()
