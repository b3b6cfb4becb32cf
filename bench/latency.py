"""Replays typing against servers and measures how long a person waits for ghost text.

`python -m bench.latency` drives the real server process over its pipes; `--peer` adds others, on
the same model file, in the same run. Prints a table and one JSON object; README.md says what each
number means.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bench import latency_report
from bench.modes import MODES, Run, replay
from bench.peers.llama_vim import LlamaVim
from bench.peers.whole_prompt import WholePrompt
from bench.subjects import Ours, Subject
from bench.typist import Place, choose_places, shipped_places

ENGINES = ("llama_cpp", "ctransformers")
PEERS: dict[str, Callable[[str, int], Subject]] = {
    "llama-server": LlamaVim,
    "llama-cpp-server": WholePrompt,
}
EMBEDDED = Path(__file__).parents[1] / "mistral_lsp/models/mistral-lsp-tiny-fim-q5_0.gguf"
WINDOW = 1536
"""Tokens of prompt and answer: about the 1,000 tokens that the peers' lines come to."""
PLACES_IN_A_FILE = 2


def main() -> None:
    """Runs the bench."""
    options = _options()
    places = [place for path in options.file for place in choose_places(path, options.places)]
    places = places or shipped_places(options.places)
    runs = _replay_all(list(_subjects(options)), options.mode or list(MODES), places, options.keys)
    figures = [latency_report.summarise(run) for run in runs]
    Console(width=190 if not sys.stdout.isatty() else None).print(
        latency_report.make_table(figures)
    )
    result = {"machine": machine(), "model": options.model.name, "latency": figures}
    if options.plot:
        latency_report.draw(runs, options.plot)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", action="append", choices=ENGINES, help="ours; default: all")
    parser.add_argument("--peer", action="append", choices=list(PEERS), default=[])
    parser.add_argument("--mode", action="append", choices=list(MODES), help="default: all")
    parser.add_argument("--file", action="append", type=Path, default=[], help="type in this one")
    parser.add_argument("--places", type=int, default=PLACES_IN_A_FILE, help="in each file")
    parser.add_argument("--keys", type=int, default=0, help="at each place; default: all")
    parser.add_argument("--model", type=Path, default=EMBEDDED, help="a GGUF file")
    parser.add_argument("--window", type=int, default=WINDOW, help="ours, in tokens")
    parser.add_argument("--threads", type=int, default=min(4, os.cpu_count() or 1), help="of all")
    parser.add_argument("--json", type=Path, help="write the JSON object there, too")
    parser.add_argument("--plot", type=Path, help="draw the distributions there")
    return parser.parse_args()


def _subjects(options: argparse.Namespace) -> Iterable[Subject]:
    for engine in options.engine or ENGINES:
        yield Ours(engine, str(options.model), options.window, options.threads)
    for peer in options.peer:
        yield PEERS[peer](str(options.model), options.threads)


def _replay_all(
    subjects: Sequence[Subject], modes: Sequence[str], places: Sequence[Place], keys: int
) -> list[Run]:
    runs = []
    with Progress(transient=True) as progress:
        task = progress.add_task("typing", total=len(subjects) * len(modes) * len(places))
        for mode in modes:
            for subject in subjects:
                progress.update(task, description=f"{subject.name}, {mode}")
                runs.append(replay(subject, mode, places, keys, lambda: progress.advance(task)))
    return runs


def machine() -> dict[str, Any]:
    """What the figures were measured on, and when."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }


def processor() -> str:
    """The processor's name."""
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
