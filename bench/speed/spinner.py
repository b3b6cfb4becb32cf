"""A separate process that keeps every core busy until it is killed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ROUNDS = 1_000_000
"""Rounds of hashing in one call. During a call, the interpreter lock is released."""


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keeps all cores busy during a `with` block, by running this module as a process."""
    process = subprocess.Popen([sys.executable, "-m", "bench.speed.spinner"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def spin() -> None:
    """Computes forever, on one core."""
    while True:
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", ROUNDS)


if __name__ == "__main__":
    for _ in range(os.cpu_count() or 1):
        threading.Thread(target=spin).start()
