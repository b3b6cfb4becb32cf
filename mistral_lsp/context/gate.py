"""Decides whether anything should be offered at the cursor, and if not, says why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath

import pathspec

from mistral_lsp.config import Settings
from mistral_lsp.context.cursor import Cursor
from mistral_lsp.context.secret_files import is_secret, paths_of
from mistral_lsp.document import LARGEST_PARSED, Snapshot
from mistral_lsp.types import Trigger

LONGEST_LINE = 20_000


def refuse(snapshot: Snapshot, cursor: Cursor, settings: Settings, trigger: Trigger) -> str | None:
    """Why nothing is offered here, or None."""
    return _refuse_file(snapshot, settings) or _refuse_place(cursor, settings, trigger)


def _refuse_file(snapshot: Snapshot, settings: Settings) -> str | None:
    """Why nothing is ever offered in this file, or None. No user's wish opens these."""
    if not settings.enabled:
        return "ghost text is switched off (mistralLsp.enabled)"
    if snapshot.out_of_sync:
        return snapshot.out_of_sync
    if any(map(is_secret, (snapshot.path, *paths_of(snapshot.uri)))):
        return "the file looks like one that holds secrets"
    if is_excluded(snapshot.path, settings):
        return "the file is excluded (mistralLsp.exclude)"
    language = snapshot.language
    keys = (language.name, *language.ids, "*")
    if not next((settings.languages[key] for key in keys if key in settings.languages), True):
        return f"{language.name} is switched off (mistralLsp.languages)"
    if len(snapshot.text) > LARGEST_PARSED:
        return f"the file is too large ({len(snapshot.text):,} characters)"
    return None


def _refuse_place(cursor: Cursor, settings: Settings, trigger: Trigger) -> str | None:
    """Why nothing is offered at this place, or None. The gates of taste open when asked by hand."""
    if len(cursor.line_prefix) + len(cursor.line_suffix) > LONGEST_LINE:
        return "the line is too long"
    if trigger != "automatic":
        return None
    if cursor.region in settings.disable_in:
        return f"the cursor is in a {cursor.region} (mistralLsp.disableIn)"
    if cursor.line_suffix and (cursor.line_suffix[0].isalnum() or cursor.line_suffix[0] == "_"):
        return "the cursor stands before the rest of a word"
    return None


def refuse_to_ask(cursor: Cursor, trigger: Trigger) -> str | None:
    """Why the model is not asked for something new here, or None. What it wrote already goes on."""
    line = cursor.line_prefix
    is_open = any(line.count(opener) > line.count(closer) for opener, closer in ("()", "[]"))
    if trigger != "automatic" or cursor.line_suffix.strip() or is_open or cursor.region != "code":
        return None
    if re.search(cursor.language.finished, line):
        return "the line is finished"
    return None


def is_excluded(path: str, settings: Settings) -> bool:
    """Whether the user wants a file left alone."""
    return _matches(tuple(settings.exclude), path)


def _matches(patterns: Sequence[str], path: str) -> bool:
    return bool(patterns) and _spec(tuple(patterns)).match_file(PurePosixPath(path))


@lru_cache(maxsize=8)
def _spec(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    return pathspec.GitIgnoreSpec.from_lines(patterns)
