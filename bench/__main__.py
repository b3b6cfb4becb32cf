"""Measures ours and both peers, speed and quality, in one run, and writes it down with a plot."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from bench import latency, latency_report, quality

RESULTS = Path(__file__).with_name("results")
PEERS = ("--peer", "llama-server", "--peer", "llama-cpp-server")
LATENCY = ["--places", "1", "--keys", "12", "--more-lines", "2", *PEERS]
STRATEGIES = ("ours", "llama.vim", "prefix-only", "suffix-first-plain")
QUALITY = ["humaneval-single/26", "--strategy", *STRATEGIES]


def main() -> None:
    """Runs both benches on the embedded model; the quality of forty of the tasks."""
    options = latency.parse_options(LATENCY)
    runs = latency.measure(options)
    figures = [latency_report.summarise(run) for run in runs]
    latency_report.compare(figures)
    latency_report.print_table(figures)
    rows = asyncio.run(quality.measure(quality.parse_options(QUALITY)))
    quality.print_table(rows)
    machine = latency.machine()
    result = {
        "machine": machine,
        "model": options.model.name,
        "latency": figures,
        "quality": [row.columns() for row in rows],
    }
    RESULTS.mkdir(exist_ok=True)
    processor = re.sub(r"[^a-z0-9]+", "-", machine["processor"].lower()).strip("-")
    target = RESULTS / f"{machine['date']}-{processor}"
    latency_report.draw(runs, target.with_suffix(".png"))
    target.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stderr.write(f"written: {target}.json and .png\n")
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
