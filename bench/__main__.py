"""Runs the latency bench with both peers, and the quality bench; writes results and a plot."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from bench.latency import __main__ as latency, report
from bench.quality import __main__ as quality
from bench.support.statistics import machine

RESULTS = Path(__file__).parent / "data" / "results"
PEERS = ("--peer", "llama-server", "--peer", "llama-cpp-server")
LATENCY = ["--places", "1", "--keys", "12", "--more-lines", "2", *PEERS]
STRATEGIES = ("ours", "llama.vim", "prefix-only", "suffix-first-plain")
QUALITY = ["humaneval-single/26", "--strategy", *STRATEGIES]


def main() -> None:
    """Runs the latency and the quality bench with the embedded model, and writes the results."""
    options = latency.parse_options(LATENCY)
    runs = latency.measure(options)
    figures = [report.summarise(run) for run in runs]
    report.compare(figures)
    report.print_table(figures)
    rows = asyncio.run(quality.measure(quality.parse_options(QUALITY)))
    quality.print_table(rows)
    here = machine()
    result = {
        "machine": here,
        "model": options.model.name,
        "latency": figures,
        "quality": [row.columns() for row in rows],
    }
    RESULTS.mkdir(exist_ok=True)
    processor = re.sub(r"[^a-z0-9]+", "-", here["processor"].lower()).strip("-")
    target = RESULTS / f"{here['date']}-{processor}"
    report.draw(runs, target.with_suffix(".png"))
    target.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stderr.write(f"written: {target}.json and .png\n")
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
