"""Measures the scan of a large workspace: its time, its memory, and keystrokes during it."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil

from bench.support.lsp_client import ALONE, Client, apart
from bench.support.statistics import percentile

FILES = 5000
FILES_IN_A_FOLDER = 50
LARGEST_COPIED = 60_000
SETTLED_SECONDS = 3.0
KEY_SECONDS = 0.05
PATIENCE_SECONDS = 300.0


def check_workspace(library: Path) -> dict[str, Any]:
    """Lets a server scan 5,000 copies of a library's files while a user types in another file.

    Gives the times until the server knows the first file and all files, the times of keystrokes,
    and the peak memory.
    """
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder), library) as client:
        uri = (Path(folder) / "folder7" / "open.py").as_uri()
        lines = (library / "argparse.py").read_text(encoding="utf-8").split("\n")
        begun = time.perf_counter()
        client.open(uri, "\n".join(lines))
        waits: list[float] = []
        peaks: dict[str, float] = {}
        moments: dict[str, float] = {}
        while not _is_over(time.perf_counter() - begun, moments):
            waits.append(_type(client, uri, len(waits)))
            _note_memory(client, peaks)
            _note_progress(client, time.perf_counter() - begun, moments)
            time.sleep(KEY_SECONDS)
        return {
            "files": FILES,
            **moments,
            "keys": len(waits),
            "keystroke_ms": {f"p{share}": percentile(waits, share) for share in (50, 95, 99)},
            **peaks,
        }


@contextmanager
def _server(folder: Path, library: Path) -> Iterator[Client]:
    _copy(sorted(library.glob("*.py")), folder)
    client = Client([sys.executable, "-m", "mistral_lsp", "--engine", "scripted"], apart())
    try:
        client.initialize(ALONE, root=folder.as_uri())
        client.wait_until_ready()
        yield client
        client.close()
    finally:
        client.kill()


def _copy(files: Sequence[Path], folder: Path) -> None:
    small = [path for path in files if path.stat().st_size < LARGEST_COPIED]
    for number, path in enumerate(islice(cycle(small), FILES)):
        target = folder / f"folder{number // FILES_IN_A_FOLDER}" / f"{path.stem}_{number}.py"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())


def _type(client: Client, uri: str, number: int) -> float:
    """Types a character in the middle of a file; gives the milliseconds until the answer."""
    line, column = 1000, number
    client.change(uri, number + 2, (line, column), (line, column), "x")
    begun = time.perf_counter()
    arrived, _ = client.response(client.ask(uri, line, column + 1))
    return (arrived - begun) * 1000


def _note_memory(client: Client, peaks: dict[str, float]) -> None:
    server = psutil.Process(client.process.pid)
    with contextlib.suppress(psutil.Error):
        _raise(peaks, "server_peak_mb", server.memory_info().rss)
        scans = [child for child in server.children() if "scan" in " ".join(child.cmdline())]
        _raise(peaks, "scan_peak_mb", sum(scan.memory_info().rss for scan in scans))


def _raise(peaks: dict[str, float], name: str, size: int) -> None:
    peaks[name] = max(peaks.get(name, 0.0), round(size / 1e6, 1))


def _note_progress(client: Client, seconds: float, moments: dict[str, float]) -> None:
    """Records in `moments` when the first and the latest file became known to the server."""
    known = client.status()["other_files"]
    if known > moments.get("known", 0):
        moments.setdefault("first_known_s", round(seconds, 2))
        moments["known"], moments["last_known_s"] = known, round(seconds, 2)
    if seconds > PATIENCE_SECONDS:
        raise TimeoutError(f"only {known} files are known after {seconds:.0f} s")


def _is_over(seconds: float, moments: dict[str, float]) -> bool:
    return "known" in moments and seconds > moments["last_known_s"] + SETTLED_SECONDS
