"""Runs the named speed checks, or all, with the real server process and the real model.

Run as `python -m bench.speed`. Prints a table and one JSON object; bench/README.md describes each
check.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from bench.quality.sets import TRUTH
from bench.speed.changing import check_edits
from bench.speed.editor import Setup
from bench.speed.holes import check_holes
from bench.speed.moving import check_jump, check_open, check_revisit
from bench.speed.windows import check_second_window
from bench.speed.working import check_busy, check_cancel, check_waste
from bench.support.servers import ENGINES
from bench.support.statistics import Rows, report

CHECKS: dict[str, Callable[[Setup], Rows]] = {
    "revisit": check_revisit,
    "jump": check_jump,
    "open": check_open,
    "holes": check_holes,
    "edits": check_edits,
    "busy": check_busy,
    "second-window": check_second_window,
    "cancel": check_cancel,
    "waste": check_waste,
}
HOMES = ("XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
STARTS = 3
"""How often the server is started before the checks.

After that many starts, the server's measured speed no longer changes, nor do its window sizes.
"""


def main() -> None:
    """Runs the checks named on the command line, or all."""
    options = parse_options()
    names = options.checks or list(CHECKS)
    results: dict[str, Rows] = {}
    console = Console(stderr=True)
    for engine in options.engine or ENGINES:
        with private_home() as environment:
            setup = Setup(
                engine,
                options.model,
                options.window,
                environment,
                directory=options.directory,
            )
            learn_the_machine(setup)
            for name in names:
                console.print(f"{engine}: {name}")  # progress, also in redirected output
                results[f"{name}-{engine}"] = CHECKS[name](setup)
    report(results)


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses `arguments`; if None, parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    add = parser.add_argument
    add("checks", nargs="*", metavar="check", help=f"of {', '.join(CHECKS)}; default: all")
    add("--engine", action="append", choices=ENGINES, help="default: all")
    add("--model", default="", help="a GGUF file; default: the embedded model")
    add("--window", type=int, default=0, help="in tokens; default: what fits this machine")
    add("--directory", type=Path, default=TRUTH, help="real code, for holes; default: our own")
    options = parser.parse_args(arguments)
    if unknown := set(options.checks) - set(CHECKS):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    return options


@contextmanager
def private_home() -> Iterator[dict[str, str]]:
    """Gives environment variables with new folders for settings, caches and sockets."""
    # A socket's path has to be short. Cleanup may fail, since an exiting host may still write.
    short = "/tmp" if os.name == "posix" else None
    with tempfile.TemporaryDirectory(dir=short, ignore_cleanup_errors=True) as folder:
        yield dict.fromkeys(HOMES, folder)


def learn_the_machine(setup: Setup) -> None:
    """Starts the server `STARTS` times, so that it has measured the machine's speed."""
    for _ in range(STARTS):
        with setup.editor():
            pass


if __name__ == "__main__":
    main()
