"""Finds the engine hosts that tests have started."""

from __future__ import annotations

from pathlib import Path

import psutil


def running_hosts(folder: Path) -> list[psutil.Process]:
    """Finds the running hosts whose sockets are below a folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "mistral_lsp.engine.host.daemon" in command and command[-1].startswith(str(folder)):
            found.append(process)
    return found
