"""The host's beginning: it listens, leaves the process that started it, and serves.

Run as `python -m mistral_lsp.engine.host.daemon SOCKET`, which ends as soon as SOCKET takes
connections.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

BACKLOG = 64


def main(path: Path) -> None:
    """Listens at `path`; goes on as a process of its own."""
    os.umask(0o077)
    log = os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    path.unlink(missing_ok=True)  # of a host that was killed; whoever runs this holds the lock
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(BACKLOG)
    # Now, since nothing with threads is imported yet, which a fork would lose.
    if os.fork():
        os._exit(0)
    os.setsid()

    from mistral_lsp.engine.host.serve import serve

    serve(listening, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
