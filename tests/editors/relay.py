"""Stands between an editor and its server, and records what the editor sends, one message a line.

relay.py RECORD COMMAND [ARGUMENT ...]
"""

import re
import subprocess
import sys
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


def relay(record: Path, command: list[str]) -> int:
    """Run the server until the editor hangs up, and give its exit code."""
    with (
        record.open("ab", buffering=0) as kept,
        subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as server,
    ):
        while (message := read_message(sys.stdin.buffer))[1]:
            kept.write(message[1] + b"\n")
            server.stdin.write(b"".join(message))
    return server.returncode


if __name__ == "__main__":
    sys.exit(relay(Path(sys.argv[1]), sys.argv[2:]))
