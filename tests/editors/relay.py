"""Passes messages between an editor and its server, and records them with their times.

Run as `relay.py RECORD COMMAND [ARGUMENT ...]`.

Each line of the record is {"at": monotonic time in nanoseconds, "from": "editor" or "server",
"message": the message}.
"""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO


def read_message(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Reads the next message; gives its header and body. Both are empty at the stream's end."""
    head = b""
    while line := stream.readline():
        head += line
        if not line.strip():
            break
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return head, stream.read(int(length[1])) if length else b""


def pass_on(source: BinaryIO, target: BinaryIO, sender: str, kept: BinaryIO) -> None:
    """Passes on messages until the sender hangs up; records each one after passing it on."""
    while (message := read_message(source))[1]:
        at = time.monotonic_ns()
        target.write(b"".join(message))
        target.flush()
        kept.write(b'{"at": %d, "from": "%s", "message": %s}\n' % (at, sender.encode(), message[1]))


def relay(record: Path, command: list[str]) -> int:
    """Runs the server until the editor hangs up; gives the server's exit code."""
    with (
        record.open("ab", buffering=0) as kept,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server,
    ):
        answers = (server.stdout, sys.stdout.buffer, "server", kept)
        threading.Thread(target=pass_on, args=answers, daemon=True).start()
        pass_on(sys.stdin.buffer, server.stdin, "editor", kept)
        server.stdin.close()
    return server.returncode


if __name__ == "__main__":
    sys.exit(relay(Path(sys.argv[1]), sys.argv[2:]))
