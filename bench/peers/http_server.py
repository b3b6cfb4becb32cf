"""Runs a peer's HTTP server as a child process."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

import httpx
import psutil

START_SECONDS = 600.0


def free_port() -> int:
    """Finds a free port on the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class HttpServer:
    """A server that listens on `port` and runs with the Python of this environment."""

    def __init__(self, arguments: Sequence[str], port: int, health: str):
        """Starts the server and waits until the path `health` gives 200.

        Raises RuntimeError if the server ends, or does not answer within `START_SECONDS`.
        """
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS)
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.perf_counter() + START_SECONDS
        while time.perf_counter() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"{' '.join(arguments)} ended with {self._process.returncode}")
            with contextlib.suppress(httpx.TransportError):
                if self.client.get(health).status_code == 200:
                    return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{' '.join(arguments)} did not answer within {START_SECONDS} s")

    @property
    def process(self) -> psutil.Process:
        """The process of the server."""
        return psutil.Process(self._process.pid)

    def stop(self) -> None:
        """Kills the server."""
        self._process.kill()
        self._process.wait()
        self.client.close()
