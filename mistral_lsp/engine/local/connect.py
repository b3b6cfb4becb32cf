"""Connects to a user's host for a model, and starts the host if none runs.

The socket's name is a digest of the model and its settings. The socket's folder is private to the
user. A file lock ensures that two editors start only one host.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import msgspec

from mistral_lsp.engine import frames
from mistral_lsp.engine.limited import limited
from mistral_lsp.system import endpoint, processes
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import EngineError

DAEMON = "mistral_lsp.engine.host.daemon"
START_SECONDS = 20.0
LOOK_SECONDS = 0.5
TRIES = 5
LARGE_BLOCK = 1 << 20
"""Bytes. glibc returns freed blocks of this size or more to the system at once.

Otherwise, glibc would raise this limit to the size of the largest freed block. The host would then
retain tens of megabytes of every KV state that it has saved.
"""
LONGEST_LAST_WORDS = 300

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter, frames.Hello]


async def connect(wanted: frames.Load, greeting_seconds: float) -> Connection:
    """Connects to the host, starting one if none runs; gives the connection and the greeting.

    A listener that does not greet within `greeting_seconds` is no host, and is replaced. Raises
    EngineError, with advice, if no host can be reached or started.
    """
    try:
        path = socket_path(wanted)
        for _ in range(TRIES):
            # A host about to exit may accept the connection, but never greet.
            connection = await _greeted(path, greeting_seconds) or await _start(
                path, greeting_seconds
            )
            if connection is not None:
                return connection
    except OSError as error:
        raise EngineError(
            f"The engine's process can't be started ({error}). Is the disk full? "
            "Make room, then run mistralLsp.reload."
        ) from error
    raise EngineError(
        f"The engine's process ends as soon as it starts. {last_words(wanted)} "
        "Choose another engine in the settings, then run mistralLsp.reload."
    )


async def _greeted(path: Path, seconds: float) -> Connection | None:
    """Connects to the host at `path`.

    None if nothing listens there, or if no greeting of this version comes in time.
    """
    try:
        async with limited(seconds):
            reader, writer = await endpoint.connect(path)
    except (OSError, asyncio.TimeoutError):
        return None
    hello = None
    try:
        async with limited(seconds):
            hello = await _hello(path, reader)
    except (OSError, EOFError, asyncio.TimeoutError, msgspec.DecodeError):
        return None
    finally:
        if not isinstance(hello, frames.Hello):
            writer.close()
    return (reader, writer, hello) if isinstance(hello, frames.Hello) else None


async def _hello(path: Path, reader: asyncio.StreamReader) -> frames.Reply:
    """Reads the host's greeting. Kills a host suspended by SIGSTOP, which would never greet."""
    reading = asyncio.ensure_future(frames.read_reply(reader))
    try:
        while not (await asyncio.wait([reading], timeout=LOOK_SECONDS))[0]:
            processes.kill_suspended([DAEMON, str(path)])
        return reading.result()
    finally:
        reading.cancel()


async def _start(path: Path, greeting_seconds: float) -> Connection | None:
    """Starts a host, unless another process has started one meanwhile.

    The new host takes over the socket from a listener that does not greet.
    """
    import filelock  # slow to import, and not needed if a host runs

    lock = filelock.AsyncFileLock(path.with_suffix(".lock"), 2 * START_SECONDS, mode=0o600)
    try:
        async with lock:
            return await _greeted(path, greeting_seconds) or await _started(path)
    except filelock.Timeout as error:
        raise EngineError(
            f"Another program has been starting the engine for {2 * START_SECONDS:.0f} seconds. "
            f"If none is, remove {path.with_suffix('.lock')}; then run mistralLsp.reload."
        ) from error


async def _started(path: Path) -> Connection | None:
    # Python looks for modules in the working directory first. The host runs in a
    # private folder, so that a workspace can't bring its own modules.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(LARGE_BLOCK)}
    environment.pop("PYTHONOPTIMIZE", None)  # ctransformers needs its docstrings
    starter = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        DAEMON,
        str(path),
        cwd=path.parent,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    with contextlib.suppress(asyncio.TimeoutError):
        async with limited(START_SECONDS):
            await starter.wait()
    return await _greeted(path, START_SECONDS)


def socket_path(wanted: frames.Load) -> Path:
    """Gives the path of the host's socket for `wanted`. Raises EngineError, OSError."""
    return endpoint.place(frames.name_of(wanted))


def last_words(wanted: frames.Load) -> str:
    """Gives the last line of the host's log as a sentence, or "". The log is beside the socket."""
    with contextlib.suppress(OSError, EngineError):
        log = socket_path(wanted).with_suffix(".log")
        lines = log.read_text("utf-8", "replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f"Its last words: {one_line(last, LONGEST_LAST_WORDS)}" if last else ""
    return ""
