"""Stands between an editor and its server, and records what passes, with the time.

relay.py RECORD COMMAND [ARGUMENT ...]

A line of the record is {"at": nanoseconds of the machine's steady clock, "from": "editor" or
"server", "message": the message}.
"""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO


def read_message(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Read the next message's head and body; both are empty at the end."""
    head = b""
    while line := stream.readline():
        head += line
        if not line.strip():
            break
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return head, stream.read(int(length[1])) if length else b""


def pass_on(source: BinaryIO, target: BinaryIO, sender: str, kept: BinaryIO) -> None:
    """Hand on every message until the sender hangs up; the record is written behind that."""
    while (message := read_message(source))[1]:
        at = time.monotonic_ns()
        target.write(b"".join(message))
        target.flush()
        kept.write(b'{"at": %d, "from": "%s", "message": %s}\n' % (at, sender.encode(), message[1]))


def relay(record: Path, command: list[str]) -> int:
    """Run the server until the editor hangs up, and give its exit code."""
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
