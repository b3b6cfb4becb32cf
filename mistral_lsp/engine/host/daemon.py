"""Starts the host: listens, detaches from the starting process, and serves.

Run as `python -m mistral_lsp.engine.host.daemon SOCKET`. The command returns as soon as SOCKET
accepts connections.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mistral_lsp.system import endpoint, processes
from mistral_lsp.system.memory import no_garbage


def main(path: Path) -> None:
    """Listens at `path`, then continues as a detached process."""
    processes.make_files_private()
    log = os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    listening = endpoint.listen(path)  # no race: the starting process holds the lock
    processes.detach()  # before imports that start threads: a fork loses them

    with no_garbage():
        from mistral_lsp.engine.host.serve import serve

    serve(listening, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
