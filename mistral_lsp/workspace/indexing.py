"""Fills the index of the workspace's definitions: scans all files, then each changed file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from mistral_lsp.context import files, gate, walk
from mistral_lsp.context.definitions import FileDefinitions, read_definitions
from mistral_lsp.context.files import MISSING
from mistral_lsp.context.index import Index, Known
from mistral_lsp.context.scan import Job
from mistral_lsp.context.walk import Folder
from mistral_lsp.document import Snapshot
from mistral_lsp.system.folders import private_folder
from mistral_lsp.types import EngineError
from mistral_lsp.workspace.session import Session

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
"""Seconds to wait before a scan. An editor that has just started is busy, and several changes often
come at once.
"""
SAVE_SECONDS = 5.0
"""Maximum seconds for reading a saved file. A file that takes longer is dropped from the index."""
SILENT_SECONDS = 120.0
"""A scan that writes no output for this many seconds is given up."""
LONGEST_LINE = 1 << 24
"""Maximum number of bytes of a line from the scan process."""
MOST_BREAKS = 32
"""How often the scan of a folder may stop at a bad file before the folder is given up."""
MOST_CHANGES = 500
"""Maximum number of changed files that are scanned singly. If more have changed, their whole folder
is scanned.
"""
PATTERNS = ".gitignore"


class Indexing:
    """Fills `index` with the definitions of one editor's workspace."""

    def __init__(self, index: Index, session: Session):
        """Scans nothing yet. The first scan begins when `start` is called."""
        self._index = index
        self._session = session
        self._near: str | None = None
        self._left: dict[Path, set[str] | None] = {}
        self._scanning: asyncio.Task[None] | None = None
        self._saving: set[asyncio.Task[None]] = set()
        self._one_save = asyncio.Lock()
        index.on_change = self._read_again

    # What there is to do

    def start(self, uri: str) -> None:
        """Starts the first scan. Later calls do nothing.

        `uri` is that of an opened document. Files near it come first.
        """
        if self._near is None:
            self._near = uri
            self._scan_all()

    async def restart(self) -> None:
        """Clears the index at once, and scans the workspace again."""
        running = self._stop()
        self._index.clear()
        if running:
            await asyncio.wait(running)
        self._scan_all()

    def set_folders(self, uris: Iterable[str]) -> None:
        """Sets the workspace folders, given by their URIs.

        The files of an added or removed folder are dropped from the index. Those still in the
        workspace are scanned again.
        """
        before = self._session.roots
        self._session.set_roots(uris)
        after = self._session.roots
        changed = set(before) ^ set(after)
        for root in dict.fromkeys([*before, *after]):
            if any(_is_one_in_the_other(root, other) for other in changed):
                self._left.pop(root, None)
                self._index.drop_all([str(root)])
                if root in after:
                    self._scan(root)

    def change(self, path: str) -> None:
        """Handles the addition or change of a file, or of a folder with all its files."""
        found = self._session.locate(path)
        if found is None:
            return
        root, below = found
        name = below.rpartition("/")[2]
        if name == PATTERNS:
            self._index.drop_all([str((root / below).parent)])
            self._scan(root)
        elif walk.is_code(below) or "." not in name:
            self._scan(root, {below})

    def remove(self, paths: Collection[str]) -> None:
        """Handles the removal of files and folders."""
        found = filter(None, map(self._session.locate, paths))
        self._index.drop_all([str(root / below) for root, below in found])
        for path in paths:
            self.change(path)  # a removed file may have hidden others, or exist again

    def take(self, snapshot: Snapshot | None) -> None:
        """Updates the index with a file that was saved."""
        found = self._session.locate(snapshot.file) if snapshot else None
        if snapshot is None or found is None or not self._is_on():
            return
        if snapshot.refusal or found[1].rpartition("/")[2] == PATTERNS:
            self.change(snapshot.file)
            return
        task = asyncio.create_task(self._take(snapshot, *found))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def close(self) -> None:
        """Cancels all scans and reads, and waits until they have ended."""
        running = self._stop()
        if running:
            await asyncio.wait(running)

    def _stop(self) -> list[asyncio.Task[None]]:
        self._left.clear()
        running = [task for task in (self._scanning, *self._saving) if task is not None]
        self._scanning = None
        for task in running:
            task.cancel()
        return running

    def _is_on(self) -> bool:
        return self._near is not None and self._session.settings.other_files

    def _scan_all(self) -> None:
        for root in self._session.roots:
            self._scan(root)

    def _read_again(self, known: Known) -> None:
        if known.folder is not None:
            self._scan(known.folder, {known.path})

    def _scan(self, root: Path, paths: Collection[str] | None = None) -> None:
        """Schedules the scan of a folder, or only of some paths in the folder."""
        if not self._is_on():
            return
        left = self._left.get(root, set())
        if left is not None and paths is not None and len(left) + len(paths) <= MOST_CHANGES:
            self._left[root] = left | set(paths)
        else:
            self._left[root] = None
        if self._scanning is None or self._scanning.done():
            self._scanning = asyncio.create_task(self._scan_what_is_left())

    # A scan

    async def _scan_what_is_left(self) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        while self._left:
            root = next(iter(self._left))
            paths = self._left.pop(root)
            try:
                await self._scan_folder(root, paths)
            except (OSError, EngineError, UnicodeError) as error:
                logger.warning("the workspace can't be looked through: %s", error)
        logger.info("%s files of the workspace are known", len(self._index))

    async def _scan_folder(self, root: Path, paths: set[str] | None) -> None:
        """Scans a folder. Leaves out each file that stops the scan."""
        if paths is not None:
            paths = await asyncio.to_thread(self._changed, root, paths)
            if not paths:
                return
        near = self._session.locate(self._session.file(self._near or ""))
        job = Job(
            str(root),
            near[1] if near is not None and near[0] == root else "",
            None if paths is None else tuple(sorted(paths)),
        )
        for _ in range(MOST_BREAKS):
            told = await self._run(job, root)
            if told is None:
                return
            job = msgspec.structs.replace(job, skip=job.skip + told + 1)
            logger.warning("file %s of a scan broke it off and is left out", job.skip)

    def _changed(self, root: Path, paths: set[str]) -> set[str]:
        """Gives those of `paths` that are not in the index, or whose file has changed."""
        known = {path: self._index.get(str(root / path)) for path in paths}
        return {
            path for path, one in known.items() if not one or files.stamp(one.file) != one.stamp
        }

    async def _run(self, job: Job, root: Path) -> int | None:
        """Runs a scan process. Gives None once all is done.

        If the process ends early or hangs, gives the number of files that it has finished.
        """
        given = msgspec.json.encode(job) + b"\n"
        # The working directory is a private folder: Python looks for modules there first, and must
        # not load those of the workspace.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mistral_lsp.context.scan",
            cwd=private_folder(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        told = 0
        try:
            process.stdin.write(given)
            while line := await asyncio.wait_for(process.stdout.readline(), SILENT_SECONDS):
                self._hear(msgspec.json.decode(line, type=FileDefinitions), root)
                told += 1
            return told if await process.wait() else None
        except asyncio.TimeoutError:
            logger.warning("a scan of the workspace hangs at a file")
            return told
        except (ValueError, msgspec.MsgspecError, ConnectionError):
            return told
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    # What is found

    def _hear(self, found: FileDefinitions, root: Path) -> None:
        """Updates the index with a scanned file. The stamp of an unreadable file is MISSING."""
        self._put(found, root, found.stamp != MISSING)

    async def _take(self, snapshot: Snapshot, root: Path, path: str) -> None:
        async with self._one_save:
            reading = asyncio.to_thread(_read_saved, snapshot, root, path)
            try:
                found = await asyncio.wait_for(reading, SAVE_SECONDS)
            except asyncio.TimeoutError:
                found = None
        self._put(found or FileDefinitions(path), root, found is not None)

    def _put(self, found: FileDefinitions, root: Path, is_told: bool) -> None:
        """Adds a file to the index if `is_told` and no setting excludes it; otherwise drops it.

        Does nothing if `root` is no longer the innermost workspace folder around the file.
        """
        file = str(root / found.path)
        if self._session.locate(file) != (root, found.path):
            return
        if is_told and not gate.is_excluded(self._session.names(file), self._session.settings):
            self._index.put(found, root)
        else:
            self._index.drop(file)


def _read_saved(snapshot: Snapshot, root: Path, path: str) -> FileDefinitions | None:
    """Gives the definitions in a saved file's text. Gives None if the file stays out of prompts."""
    text, tree = snapshot.text, snapshot.tree
    if tree is None or not snapshot.language.is_code or not walk.is_written(text):
        return None
    if not Folder(root).belongs(path):
        return None
    return read_definitions(path, text, tree, files.stamp(root / path))


def _is_one_in_the_other(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
