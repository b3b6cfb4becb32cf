"""Plots the model's confidence in right and in wrong answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot

from bench.quality.results import Result, Run

BINS = [place / 20 for place in range(21)]


def plot_confidence(path: Path, rows: Mapping[Run, Sequence[Result]]) -> None:
    """Plots a histogram for each row: confidence on x, numbers of right and wrong answers on y."""
    figure, axes = pyplot.subplots(len(rows), 1, figsize=(7, 2.4 * len(rows)), squeeze=False)
    for axis, (run, results) in zip(axes[:, 0], rows.items()):
        shown = [result.judgement for result in results if result.judgement.shown]
        for label, colour, wanted in (("right", "#2a9d55", True), ("wrong", "#cc4444", False)):
            sure = [one.confidence for one in shown if one.right is wanted]
            axis.hist(sure, bins=BINS, label=label, color=colour, alpha=0.6)
        axis.set_title(f"{run.set} · {run.strategy} · {run.engine}", fontsize=9)
        axis.set_xlabel("confidence", fontsize=8)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
