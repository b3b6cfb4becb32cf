"""Runs the checks that were named, or all, against the real server process and the real model.

Run as `python -m bench.speed`. Prints a table and one JSON object; bench/README.md says what each
check does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from bench.speed.changing import check_edits
from bench.speed.editor import Setup
from bench.speed.moving import check_jump, check_open, check_revisit
from bench.speed.windows import check_second_window
from bench.speed.working import check_busy, check_cancel, check_waste
from bench.support.servers import ENGINES
from bench.support.statistics import Rows, report

CHECKS: dict[str, Callable[[Setup], Rows]] = {
    "revisit": check_revisit,
    "jump": check_jump,
    "open": check_open,
    "edits": check_edits,
    "busy": check_busy,
    "second-window": check_second_window,
    "cancel": check_cancel,
    "waste": check_waste,
}
HOMES = ("XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
STARTS = 3
"""After so many the server knows how fast the machine is, and its windows stay the same size."""


def main() -> None:
    """Runs what the command line asks for."""
    options = parse_options()
    names = options.checks or list(CHECKS)
    results: dict[str, Rows] = {}
    console = Console(stderr=True)
    for engine in options.engine or ENGINES:
        with private_home() as environment:
            setup = Setup(engine, options.model, options.window, environment)
            learn_the_machine(setup)
            for name in names:
                console.print(f"{engine}: {name}")  # where it is, in a file of output as well
                results[f"{name}-{engine}"] = CHECKS[name](setup)
    report(results)


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; those of the command line where no `arguments` are given."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    add = parser.add_argument
    add("checks", nargs="*", metavar="check", help=f"of {', '.join(CHECKS)}; default: all")
    add("--engine", action="append", choices=ENGINES, help="default: all")
    add("--model", default="", help="a GGUF file; default: the embedded model")
    add("--window", type=int, default=0, help="in tokens; default: what fits this machine")
    options = parser.parse_args(arguments)
    if unknown := set(options.checks) - set(CHECKS):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    return options


@contextmanager
def private_home() -> Iterator[dict[str, str]]:
    """Folders of its own for settings, caches and sockets, so that nothing is warm from before."""
    # The path of a socket has to be short; a host that just leaves may still write in the folder.
    short = "/tmp" if os.name == "posix" else None
    with tempfile.TemporaryDirectory(dir=short, ignore_cleanup_errors=True) as folder:
        yield dict.fromkeys(HOMES, folder)


def learn_the_machine(setup: Setup) -> None:
    """Starts the server until it has measured how fast it is."""
    for _ in range(STARTS):
        with setup.editor():
            pass


if __name__ == "__main__":
    main()
