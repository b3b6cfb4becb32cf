"""The counters and percentiles in the server's status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mistral_lsp.metrics import Metrics, percentile
from mistral_lsp.types import Completion, Span, Usage

EMPTY = Completion("", Span(0, 0), reason="the cursor is in a comment")


@pytest.mark.parametrize(
    ("samples", "percent", "expected"),
    [([], 50, None), ([7], 95, 7), ([3, 1, 2], 50, 2), (range(1, 101), 95, 95), ([1, 2], 50, 1)],
)
def test_percentiles_are_samples(samples, percent, expected) -> None:
    assert percentile(list(samples), percent) == expected


def test_requests_are_counted_by_how_they_ended() -> None:
    metrics = Metrics()
    asked = replace(
        EMPTY, text="x", reason=None, usage=Usage(900, 3, 4), first_token_ms=20.0, total_ms=60.0
    )
    for completion in (EMPTY, asked, replace(asked, cached=True, usage=Usage())):
        metrics.record(completion)
    assert (metrics.answered, metrics.empty, metrics.cached) == (2, 1, 1)
    assert list(metrics.evaluated_tokens) == [3, 0], "a refused request is no sample"
    assert metrics.latency_ms()["total_p50"] == 60.0
    assert metrics.last_request() is not None
