"""Sees to it that no prompt tells of a file that has gone, is ignored by now, or has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from mistral_lsp.context import walk
from mistral_lsp.context.files import MISSING, Stamp
from mistral_lsp.context.index import Index, Known

DEADLINE_SECONDS = 1.0
"""A disk that says nothing for so long leaves the prompt without other files."""


async def look(index: Index, files: Iterable[str]) -> dict[str, bool]:
    """Those of the files that may be told of, and whether each is still as it was read."""
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
    """Where files lie: those that lie in a folder."""
    return {one.file: (one.folder, one.path) for one in known if one.folder is not None}


def settle(
    index: Index, known: Mapping[str, Known], stamps: Mapping[str, Stamp]
) -> dict[str, bool]:
    """The same for files that were looked at. What has gone is forgotten by the index, which also
    hears what has changed.
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
