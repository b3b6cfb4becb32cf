"""Computes the latency bench's figures, and shows them as a table and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.latency.modes import Run
from bench.support.statistics import percentile

AT_ONCE_MS = 10.0
PEER = "llama-server"
WIDTH = 200
"""The width of the table in characters, since the table has many columns."""
HEADS = (
    "subject",
    "mode",
    "keys",
    "≤10 ms",
    "mean wait",
    "times shorter",
    "first p50/p95",
    "line p50/p95",
    "all p50/p95",
    "tokens p50/p95/mean",
    "times fewer",
    "decoded",
    "wasted",
    "CPU s/key",
    "cold",
    "start",
    "peak MB",
)

Figures = dict[str, Any]


def summarise(run: Run) -> Figures:
    """Computes the figures of one run; bench/README.md explains them."""
    answers = [sample.answer for sample in run.samples if sample.answer is not None]
    slow = [answer for answer in answers if answer.full_ms > AT_ONCE_MS]
    more = [sample.answer for sample in run.more_samples if sample.answer is not None]
    timed = slow + [answer for answer in more if answer.full_ms > AT_ONCE_MS]
    steps = len(run.samples)
    evaluated = [sample.evaluated for sample in run.samples if sample.evaluated is not None]
    decoded, shown = run.work.decoded, run.work.shown
    return {
        "subject": run.subject,
        "mode": run.mode,
        "keystrokes": steps,
        "answered": len(answers),
        "with_text": sum(bool(answer.text) for answer in answers),
        "at_once_percent": _percent(len(answers) - len(slow), steps),
        "mean_wait_ms": _mean([answer.full_ms for answer in answers]),
        "timed": len(timed),
        "first_ms": _spread([answer.first_ms for answer in timed]),
        "line_ms": _spread([answer.line_ms for answer in timed]),
        "full_ms": _spread([answer.full_ms for answer in timed]),
        "cold_ms": _spread(run.cold_ms),
        "start_to_first_ms": _rounded(run.start_to_first_ms),
        "evaluated_per_keystroke": {**_spread(evaluated), "mean": _per(run.work.evaluated, steps)},
        "evaluated_tokens": run.work.evaluated,
        "decoded_tokens": decoded,
        "wasted_percent": None if shown is None else _percent(decoded - shown, decoded),
        "cpu_seconds_per_keystroke": _per(run.cpu_seconds, steps, 3),
        "accepted_percent": _percent(
            run.accepted_characters, run.accepted_characters + run.typed_characters
        ),
        "peak_mb": run.peak_mb,
        **run.facts,
    }


def _spread(samples: Sequence[float]) -> Figures:
    return {f"p{percent}": percentile(samples, percent) for percent in (50, 95, 99)}


def _mean(samples: Sequence[float]) -> float | None:
    return round(sum(samples) / len(samples), 1) if samples else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _per(amount: float, steps: int, digits: int = 1) -> float | None:
    return round(amount / steps, digits) if steps else None


def compare(rows: Sequence[Figures]) -> None:
    """Adds to each row how its subject compares with `PEER` in the same mode.

    Divides the mean wait and the tokens per keystroke of `PEER` by those of the row.
    """
    for row in rows:
        peers = [peer for peer in rows if peer["mode"] == row["mode"] and PEER in peer["subject"]]
        if not peers or row is peers[0]:
            continue
        waits, tokens = zip(*map(_compared, (row, peers[0])))
        row["times_shorter_wait"] = _times(*waits)
        row["times_fewer_tokens"] = _times(*tokens)


def _compared(row: Figures) -> tuple[float | None, float]:
    return row["mean_wait_ms"], row["evaluated_tokens"] / row["keystrokes"]


def _times(ours: float | None, theirs: float | None) -> float | None:
    return round(theirs / ours, 1) if ours and theirs else None


def print_table(rows: Sequence[Figures]) -> None:
    """Prints the main figures. There is a row for each subject in each mode."""
    table = Table(title="latency, in ms; tokens evaluated per keystroke")
    for head in HEADS:
        table.add_column(head, justify="left" if head in ("subject", "mode") else "right")
    for row in rows:
        line, full, tokens = row["line_ms"], row["full_ms"], row["evaluated_per_keystroke"]
        table.add_row(
            row["subject"],
            row["mode"],
            f"{row['answered']}/{row['keystrokes']}",
            f"{_shown(row['at_once_percent'])} %",
            _shown(row["mean_wait_ms"]),
            _shown(row.get("times_shorter_wait")),
            _join(row["first_ms"]["p50"], row["first_ms"]["p95"]),
            _join(line["p50"], line["p95"]),
            _join(full["p50"], full["p95"]),
            _join(tokens["p50"], tokens["p95"], tokens["mean"]),
            _shown(row.get("times_fewer_tokens")),
            str(row["decoded_tokens"]),
            f"{_shown(row['wasted_percent'])} %",
            _shown(row["cpu_seconds_per_keystroke"]),
            _shown(row["cold_ms"]["p50"]),
            _shown(row["start_to_first_ms"]),
            " + ".join(f"{part} {size:.0f}" for part, size in row["peak_mb"].items()),
        )
    Console(width=WIDTH).print(table)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _join(*values: float | None) -> str:
    return "/".join(map(_shown, values))


def draw(runs: Sequence[Run], path: Path) -> None:
    """Plots the cumulative distribution of the waiting times after keystrokes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    modes = sorted({run.mode for run in runs})
    figure, axes = pyplot.subplots(1, len(modes), figsize=(6 * len(modes), 4.5), squeeze=False)
    for axis, mode in zip(axes[0], modes):
        for run in runs:
            if run.mode == mode:
                waits = [sample.answer.full_ms for sample in run.samples if sample.answer]
                steps = sorted(max(wait, 0.1) for wait in waits)
                heights = [(place + 1) / len(run.samples) for place in range(len(steps))]
                axis.step(steps, heights, where="post", label=run.subject)
        axis.set(xscale="log", ylim=(0, 1), title=mode, xlabel="ms until the ghost text is there")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("share of keystrokes")
    axes[0][0].legend(loc="lower right", fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
