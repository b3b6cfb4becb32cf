"""Learns from the client which files were created, changed and deleted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from mistral_lsp import languages
from mistral_lsp.server.app import App
from mistral_lsp.text import uris
from mistral_lsp.workspace.indexing import PATTERNS

ANSWER_SECONDS = 5.0
ALL_FILES = types.FileOperationRegistrationOptions(
    [types.FileOperationFilter(types.FileOperationPattern("**/*"), scheme="file")]
)


async def watch(app: App) -> None:
    """Asks the client to report changed files, if the client supports that."""
    workspace = app.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace else None
    if not (watched and watched.dynamic_registration):
        return
    told = [one for one in languages.LANGUAGES if one.is_code and one.definition_nodes]
    suffixes = sorted(suffix.lstrip(".") for one in told for suffix in one.suffixes)
    names = sorted(name for one in told for name in one.names)
    watchers = [
        types.FileSystemWatcher(f"**/*.{{{','.join(suffixes)}}}"),
        types.FileSystemWatcher(f"**/{{{','.join([*names, PATTERNS])}}}"),
        # Some clients report a deleted folder, but none of its files.
        types.FileSystemWatcher("**/*", types.WatchKind.Delete),
    ]
    registration = types.Registration(
        "mistral-lsp-files",
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.DidChangeWatchedFilesRegistrationOptions(watchers),
    )
    with contextlib.suppress(asyncio.TimeoutError, JsonRpcException):
        await asyncio.wait_for(
            app.client_register_capability_async(types.RegistrationParams([registration])),
            ANSWER_SECONDS,
        )


def note(app: App, gone: Iterable[str], there: Iterable[str]) -> None:
    """Tells the index which files and folders are gone, and which are new or changed."""
    app.indexing.remove([uris.parse(uri).file for uri in gone])
    for uri in there:
        app.indexing.change(uris.parse(uri).file)
