"""Tells hosts that are stopped, and will never answer, from those that are slow; ends them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

DAEMON = "mistral_lsp.engine.host.daemon"


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal; one that is gone is not."""
    with contextlib.suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False


def end(pid: int) -> None:
    """Ends a process by force."""
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).kill()


def end_stopped_at(path: Path) -> None:
    """Ends the hosts that were started for the socket `path` and are stopped."""
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [])[-2:] == [DAEMON, str(path)] and is_stopped(process.pid):
            end(process.pid)
