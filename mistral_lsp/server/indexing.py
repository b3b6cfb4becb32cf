"""Keeps the index of what the workspace defines: a scan at first, then what is saved."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

import msgspec

from mistral_lsp.context import gate, scan
from mistral_lsp.context.definitions import FileDefinitions, read_definitions
from mistral_lsp.context.index import Index
from mistral_lsp.document import Snapshot
from mistral_lsp.engine.folder import private_folder
from mistral_lsp.session import Session

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
"""An editor that has just started has better things to do."""
LONGEST_LINE = 1 << 24


class Indexing:
    """Fills `index` for one editor's workspace; without a workspace there is nothing to do."""

    def __init__(self, index: Index, session: Session):
        """Nothing runs yet."""
        self._index = index
        self._session = session
        self._scanning: asyncio.Task[None] | None = None

    def start(self, near: str) -> None:
        """Scans the workspace, unless that was done; files near to the path `near` come first."""
        if self._scanning is None and self._session.settings.other_files and self._session.roots:
            self._scanning = asyncio.create_task(self._scan(near))

    async def restart(self) -> None:
        """Forgets everything; the next file that is opened starts another scan."""
        await self.close()
        self._index.clear()

    async def _scan(self, near: str) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        try:
            for root in list(self._session.roots):
                await self._scan_folder(root, near)
        except OSError as error:
            logger.warning("the workspace can't be looked through: %s", error)
        logger.info("%s files of the workspace are known", len(self._index))

    async def _scan_folder(self, root: Path, near: str) -> None:
        # The working directory is our own: Python looks for modules there first, and a workspace
        # must not bring its own.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mistral_lsp.context.scan",
            str(root),
            near,
            cwd=private_folder(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE,
        )
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                self._put(msgspec.json.decode(line, type=FileDefinitions), root)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def take(self, snapshot: Snapshot | None) -> None:
        """Takes in a file as it is now, once it was saved."""
        if self._scanning is None or snapshot is None or snapshot.tree is None:
            return
        if not snapshot.language.is_code:
            return
        root = self._session.root(snapshot.uri)
        if root is not None and scan.belongs(root, snapshot.path):
            self._put(read_definitions(snapshot.path, snapshot.text, snapshot.tree), root)

    def _put(self, found: FileDefinitions, root: Path) -> None:
        if not gate.is_excluded(found.path, self._session.settings):
            self._index.put(found, root)

    async def close(self) -> None:
        """Stops a scan that is under way."""
        scanning, self._scanning = self._scanning, None
        if scanning is not None:
            scanning.cancel()
            await asyncio.wait([scanning])
