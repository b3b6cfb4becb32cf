"""Finds the host that serves a model to all of a user's editors, or starts it.

A host listens at a socket whose name tells what it serves, in a folder that only its user can
enter. Whoever finds none starts it, under a lock, so that two editors never start two.
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
GREETING_SECONDS = 4.0
"""A host that runs greets at once; whoever listens and says nothing for longer is none of ours."""
LOOK_SECONDS = 0.5
TRIES = 5
LARGE_BLOCK = 1 << 20
"""Bytes from which on glibc gives memory back as soon as it is free. By itself it raises this to
the size of what was freed, and the host then keeps tens of megabytes from every KV state it saved.
"""
LONGEST_LAST_WORDS = 300

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter, frames.Hello]


async def connect(wanted: frames.Load) -> Connection:
    """A connection to the host, which is started if there is none; with its greeting.

    Raises EngineError where that can't be, with what to do.
    """
    try:
        path = socket_path(wanted)
        for _ in range(TRIES):
            # A host that is about to leave may accept and say nothing any more.
            connection = await _greeted(path, GREETING_SECONDS) or await _start(path)
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
    """A connection to the host that listens at `path`; None where there is none, or where what
    listens is silent, or speaks as another version of ours does.
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
    """The first word of the host; one that is stopped has none, and is ended."""
    reading = asyncio.ensure_future(frames.read_reply(reader))
    try:
        while not (await asyncio.wait([reading], timeout=LOOK_SECONDS))[0]:
            processes.kill_suspended([DAEMON, str(path)])
        return reading.result()
    finally:
        reading.cancel()


async def _start(path: Path) -> Connection | None:
    """Starts a host, unless another process has done it meanwhile. It takes the name of whatever
    listens there and does not greet.
    """
    import filelock  # takes long enough to be felt where a host is there already

    lock = filelock.AsyncFileLock(path.with_suffix(".lock"), 2 * START_SECONDS, mode=0o600)
    try:
        async with lock:
            return await _greeted(path, GREETING_SECONDS) or await _started(path)
    except filelock.Timeout as error:
        raise EngineError(
            f"Another program has been starting the engine for {2 * START_SECONDS:.0f} seconds. "
            f"If none is, remove {path.with_suffix('.lock')}; then run mistralLsp.reload."
        ) from error


async def _started(path: Path) -> Connection | None:
    # The working directory is our own: Python looks for modules there first, and a workspace must
    # not bring its own.
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
    """Where the host listens that serves what is wanted. Raises EngineError, OSError."""
    return endpoint.place(frames.name_of(wanted))


def last_words(wanted: frames.Load) -> str:
    """The last line of the log that the host writes beside its socket, as a sentence, or ""."""
    with contextlib.suppress(OSError, EngineError):
        log = socket_path(wanted).with_suffix(".log")
        lines = log.read_text("utf-8", "replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f"Its last words: {one_line(last, LONGEST_LAST_WORDS)}" if last else ""
    return ""
