"""Builds the status: a short one for every change, and a long one for the status command."""

from __future__ import annotations

import contextlib
from typing import Any

from mistral_lsp.config import Settings
from mistral_lsp.engine.base import Service
from mistral_lsp.metrics import Metrics, percentile


def state(settings: Settings, engine: Service) -> dict[str, str | None]:
    """Gives the short status, which the client is sent at every change."""
    model = engine.model
    return {
        "state": engine.state if settings.enabled else "off",
        "message": engine.message if settings.enabled else "Ghost text is switched off.",
        "engine": model.engine if model else None,
        "model": model.model if model else None,
    }


def report(
    settings: Settings,
    engine: Service,
    metrics: Metrics,
    other_files: int,
    last_error: str | None,
) -> dict[str, Any]:
    """Gives the long status. `other_files` is the number of files in the index."""
    model = engine.model
    return {
        **state(settings, engine),
        "why_engine": model.note if model else None,
        "form": model.form if model else None,
        "window": model.window if model else None,
        "first_window": model.first_window if model else None,
        "working_window": model.working_window if model else None,
        "host_pid": engine.host_pid,
        "resident_mb": resident_mb(engine.host_pid),
        "server_resident_mb": resident_mb(None),
        "other_files": other_files,
        "requests": metrics.requests(),
        "accepted_characters": metrics.accepted_characters,
        "last_request": metrics.last_request(),
        "latency_ms": metrics.latency_ms(),
        "evaluated_tokens": {
            "p50": percentile(metrics.evaluated_tokens, 50),
            "p95": percentile(metrics.evaluated_tokens, 95),
        },
        "work_tokens": metrics.work(),
        "cancel_to_idle_ms": {
            "p50": percentile(metrics.cancel_to_idle_ms, 50),
            "p95": percentile(metrics.cancel_to_idle_ms, 95),
        },
        "last_error": last_error,
    }


def resident_mb(pid: int | None) -> float | None:
    """Gives the memory in MB that a process occupies, or None if the process has ended.

    Without a `pid`, it is the memory of this process.
    """
    import psutil  # slow to import, and not needed at the start

    with contextlib.suppress(psutil.Error):
        return round(float(psutil.Process(pid).memory_info().rss) / 1e6, 1)
    return None
