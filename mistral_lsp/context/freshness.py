"""Checks files before a prompt quotes them. Leaves out deleted, ignored and changed ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from mistral_lsp.context import walk
from mistral_lsp.context.files import MISSING, Stamp
from mistral_lsp.context.index import Index, Known

DEADLINE_SECONDS = 1.0
"""Seconds to wait for the disk. If it takes longer, the prompt gets no code of other files."""


async def look(index: Index, files: Iterable[str]) -> dict[str, bool]:
    """Maps each of `files` that a prompt may contain to whether it is unchanged.

    Gives {} if the disk takes longer than DEADLINE_SECONDS.
    """
    known = {file: found for file in files if (found := index.get(file))}
    lying = places(known.values())
    if not lying:
        return settle(index, known, {})
    try:
        looking = asyncio.to_thread(walk.look, lying)
        stamps = await asyncio.wait_for(looking, DEADLINE_SECONDS)
    except asyncio.TimeoutError:
        return {}
    return settle(index, known, stamps)


def places(known: Iterable[Known]) -> dict[str, tuple[Path, str]]:
    """Gives each file's workspace folder, and the file's path below this folder.

    Files without a workspace folder are left out.
    """
    return {one.file: (one.folder, one.path) for one in known if one.folder is not None}


def settle(
    index: Index, known: Mapping[str, Known], stamps: Mapping[str, Stamp]
) -> dict[str, bool]:
    """Does the same as `look`, with stamps that the caller has already read.

    Drops missing files from the index. Calls the index's `on_change` for each changed file.
    """
    found = {}
    for file, one in known.items():
        stamp = stamps.get(file, one.stamp)
        if index.get(file) is not one:
            continue  # it was forgotten or read again meanwhile
        if file in stamps and stamp == MISSING:
            index.drop(file)
            continue
        found[file] = stamp == one.stamp
        if not found[file]:
            index.on_change(one)
    return found
