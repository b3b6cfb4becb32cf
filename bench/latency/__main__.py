"""Replays typing against servers and measures how long a person waits for ghost text.

`python -m bench.latency` drives the real server process over pipes. `--peer` adds another server,
which runs the same model file. Prints a table and one JSON object; bench/README.md explains each
number.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.latency import report
from bench.latency.modes import MODES, Run, replay
from bench.peers.llama_vim import LlamaVim
from bench.peers.whole_prompt import WholePrompt
from bench.support.servers import EMBEDDED, ENGINES
from bench.support.statistics import machine
from bench.support.subjects import Ours, Subject
from bench.support.typist import choose_places, shipped_places

PEERS: dict[str, Callable[[str, int], Subject]] = {
    "llama-server": LlamaVim,
    "llama-cpp-server": WholePrompt,
}
WINDOW = 1536
"""The window in tokens, for prompt and answer.

A prompt then has about 1,000 tokens, as many as the prompts of the peers.
"""
PLACES_IN_A_FILE = 2


def main() -> None:
    """Runs the bench with the options of the command line."""
    options = parse_options()
    runs = measure(options)
    figures = [report.summarise(run) for run in runs]
    report.compare(figures)
    report.print_table(figures)
    result = {"machine": machine(), "model": options.model.name, "latency": figures}
    if options.plot:
        report.draw(runs, options.plot)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(result) + "\n")


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses `arguments`; if None, parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    add = parser.add_argument
    add("--engine", action="append", choices=ENGINES, help="of ours; default: all")
    add("--peer", action="append", choices=list(PEERS), default=[], help="also drive this one")
    add("--mode", action="append", choices=list(MODES), help="default: all")
    add("--file", action="append", type=Path, default=[], help="type in this one")
    add("--places", type=int, default=PLACES_IN_A_FILE, help="in each file")
    add("--keys", type=int, default=0, help="of the first line of each; default: all")
    add("--lines", type=int, default=1, help="to type at each place")
    add("--more-lines", type=int, default=0, help="that only ours types, for surer percentiles")
    add("--model", type=Path, default=EMBEDDED, help="a GGUF file")
    add("--window", type=int, default=WINDOW, help="of ours, in tokens")
    add("--threads", type=int, default=min(4, os.cpu_count() or 1), help="of all")
    add("--json", type=Path, help="write the JSON object there, too")
    add("--plot", type=Path, help="draw the distributions there")
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace) -> list[Run]:
    """Replays the typing in every mode with every subject, one after another."""
    places = [place for path in options.file for place in choose_places(path, options.places)]
    places = places or shipped_places(options.places)
    makers = list(_subjects(options))
    modes = options.mode or list(MODES)
    runs = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("typing", total=len(makers) * len(modes) * len(places))
        for mode in modes:
            for make in makers:
                subject = make()
                progress.update(task, description=f"{subject.name}, {mode}")
                advance = partial(progress.advance, task)
                much = (options.lines, options.more_lines)
                runs.append(replay(subject, mode, places, options.keys, advance, *much))
    return runs


def _subjects(options: argparse.Namespace) -> Iterable[Callable[[], Subject]]:
    """Yields a factory for each subject. Every new subject has its own server with empty caches."""
    model, threads = str(options.model), options.threads
    for engine in options.engine or ENGINES:
        yield partial(Ours, engine, model, options.window, threads)
    for peer in options.peer:
        yield partial(PEERS[peer], model, threads)


if __name__ == "__main__":
    main()
