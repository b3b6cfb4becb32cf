"""The host's beginning: it listens, leaves the process that started it, and serves.

Run as `python -m mistral_lsp.engine.host.daemon SOCKET`, which ends as soon as SOCKET takes
connections.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mistral_lsp.system import endpoint, processes


def main(path: Path) -> None:
    """Listens at `path`; goes on as a process of its own."""
    processes.make_files_private()
    log = os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    listening = endpoint.listen(path)  # whoever runs this holds the lock
    processes.detach()  # now, since nothing with threads is imported yet

    from mistral_lsp.engine.host.serve import serve

    serve(listening, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
