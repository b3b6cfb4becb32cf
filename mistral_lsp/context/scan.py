"""Scans a workspace in a separate process, and writes each file's definitions as a line of JSON.

`python -m mistral_lsp.context.scan FOLDER NEAR` begins with the files nearest to NEAR. Without
arguments, the process reads a `Job` from stdin, as a line of JSON. It then exits when stdin is
closed, which happens when the server ends.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from mistral_lsp import languages
from mistral_lsp.context import files, walk
from mistral_lsp.context.definitions import FileDefinitions, read_definitions
from mistral_lsp.context.walk import Folder
from mistral_lsp.syntax import trees
from mistral_lsp.system import processes

MOST_FILES = 20_000
"""Maximum number of files in one scan."""
MOST_MEMORY = 1 << 30
"""Maximum bytes of the process's address space. No file needs as much, and every machine has it."""
LONGEST_SECONDS, LONGEST_FILE_SECONDS = 1_800.0, 4.0
"""Maximum seconds for a whole scan, and for one file."""


class Job(msgspec.Struct, frozen=True):
    """The task of a scan: a folder, or only `paths` in the folder.

    Files nearest to `near` come first. The first `skip` files are left out.
    """

    folder: str
    near: str = ""
    paths: tuple[str, ...] | None = None
    skip: int = 0


def main(arguments: Sequence[str]) -> None:
    """Does one job. Writes a line of JSON for each file, even for one without definitions."""
    if arguments:
        job = Job(arguments[0], arguments[1])
    else:
        job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    processes.be_modest(MOST_MEMORY)
    end = time.monotonic() + LONGEST_SECONDS
    root = Path(job.folder)
    for path, belongs in islice(_paths(job), job.skip, MOST_FILES):
        found = (_read_in_time(root, path) if belongs else None) or FileDefinitions(path)
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
        sys.stdout.buffer.flush()
        if time.monotonic() > end:
            return


def _end_with_stdin() -> None:
    while os.read(sys.stdin.fileno(), 1):  # sys.stdin.read would hold a lock that delays exit
        pass
    os._exit(1)


def _read_in_time(root: Path, path: str) -> FileDefinitions | None:
    """Reads a file's definitions. Gives None if that takes too much time or memory."""
    try:
        with processes.limited_time(LONGEST_FILE_SECONDS):
            return read(root, path)
    except (processes.TooLong, MemoryError):
        return None


def _paths(job: Job) -> Iterator[tuple[str, bool]]:
    """Gives the files of a job in order, and for each, whether it may appear in prompts."""
    folder = Folder(Path(job.folder))
    if job.paths is None:
        yield from ((path, True) for path in folder.walk(job.near))
    for path in job.paths or ():
        if files.is_folder(Path(job.folder, path)):
            yield from ((inner, True) for inner in folder.walk(job.near, path))
        else:
            yield path, folder.belongs(path)


def read(folder: Path, path: str) -> FileDefinitions | None:
    """Reads a file's definitions.

    Gives None if the file can't be read or parsed, or seems to be generated.
    """
    found = walk.read_text(folder / path)
    if found is None:
        return None
    text, stamp = found
    tree = trees.parse(languages.find("", path), text)
    return read_definitions(path, text, tree, stamp) if tree else None


if __name__ == "__main__":
    main(sys.argv[1:])
