"""Runs untrusted programs, and tells whether they ran to their end without an error.

The program gets its own Python (isolated, without site-packages and environment variables) in an
empty temporary directory. Memory, CPU time, wall time, file size and open files are limited, and so
is the number of processes unless the user is root. Where the system permits, the program runs in
its own network and process namespaces. It then has no network, and its remaining processes end with
it. On every system, an audit hook that can't be removed refuses sockets, processes, writing, ctypes
and other ways out.

Not prevented: reading the user's files (they can't be sent anywhere), exploits of bugs in the
interpreter or the kernel, and programs made to escape CPython's audit hooks. The memory limit
applies to each process separately. RLIMIT_NPROC does not apply to root, so only the hook and the
namespace prevent forks there.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

WALL_SECONDS = 10.0
CPU_SECONDS = 4
MEMORY_BYTES = 512 << 20
FILE_BYTES = 1 << 20
PROCESSES = 8
OPEN_FILES = 32

# Reads a secret word from stdin's first line, and the program from the rest. The word is printed
# only after the program's end. So `exit(0)` in the middle does not count as success.
GUARD = f"""
import os, resource, sys
word, program = sys.stdin.read().split("\\n", 1)
out = os.dup(1)
quiet = os.open(os.devnull, os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(quiet, number)
for kind, most in (("AS", {MEMORY_BYTES}), ("CPU", {CPU_SECONDS}), ("FSIZE", {FILE_BYTES}),
                   ("NPROC", {PROCESSES}), ("NOFILE", {OPEN_FILES}), ("CORE", 0)):
    limit = getattr(resource, "RLIMIT_" + kind, None)
    if limit is not None:
        resource.setrlimit(limit, (most, most))
closed = ("socket.", "subprocess.", "os.", "shutil.", "ctypes.", "pty.", "fcntl.", "signal.",
          "tempfile.", "mmap.", "gc.", "resource.", "sys.settrace", "sys.setprofile")
fine = ("os.listdir", "os.scandir", "os.walk", "os.fwalk")
def guard(event, details, closed=closed, fine=fine, writing=os.O_WRONLY | os.O_RDWR | os.O_CREAT):
    if event.startswith(closed) and event not in fine:
        raise PermissionError(event)
    if event == "open" and details[2] & writing:
        raise PermissionError("open for writing")
write = os.write
sys.addaudithook(guard)
exec(compile(program, "program", "exec"), {{"__name__": "program"}})
write(out, word.encode())
"""


def passes(program: str, *, isolated: bool = True) -> bool:
    """Whether the program runs to its end without an error, within the limits.

    With `isolated` False, it runs without namespaces, as on a system that has none.
    """
    word = secrets.token_hex(16)
    python = [sys.executable, "-I", "-S", "-B", "-c", GUARD]
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*(namespaces() if isolated else ()), *python],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.DEVNULL,
            cwd=empty,
            env={},
            start_new_session=True,
        )
        try:
            process.communicate(f"{word}\n{program}".encode(), timeout=WALL_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return output.read(FILE_BYTES) == word.encode()


@cache
def namespaces() -> tuple[str, ...]:
    """Gives the command that starts a program in new namespaces; () if the system forbids them."""
    tool = shutil.which("unshare")
    if tool is None:
        return ()
    user = () if os.geteuid() == 0 else ("--user", "--map-current-user")
    command = (tool, *user, "--net", "--pid", "--kill-child")
    tried = subprocess.run([*command, sys.executable, "-c", ""], capture_output=True, check=False)
    return command if tried.returncode == 0 else ()


def require() -> None:
    """Raises RuntimeError if the sandbox passes a wrong program or fails a right one."""
    if not passes("import math, re, typing, hashlib\nassert True") or passes("assert False"):
        raise RuntimeError(f"The sandbox does not work with {Path(sys.executable).name} here.")
