"""Decides whether to offer anything at the cursor, and gives the reason if not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mistral_lsp.config import Settings
from mistral_lsp.context.cursor import Cursor
from mistral_lsp.context.secret_files import is_secret, paths_of
from mistral_lsp.document import Snapshot
from mistral_lsp.text import globs
from mistral_lsp.text.globs import Glob
from mistral_lsp.types import Trigger

LONGEST_LINE = 20_000
"""Maximum number of characters of a line in which something is offered."""
LONGEST_PATH, DEEPEST = 4_096, 200
"""Maximum number of characters and of folders of a path. A file with a longer or deeper path counts
as excluded.
"""


def refuse(snapshot: Snapshot, cursor: Cursor, settings: Settings, trigger: Trigger) -> str | None:
    """Gives the reason why nothing is offered at the cursor, or None."""
    return _refuse_file(snapshot, settings) or _refuse_place(cursor, settings, trigger)


def _refuse_file(snapshot: Snapshot, settings: Settings) -> str | None:
    """Gives the reason why nothing is offered in the whole file, or None.

    Requests that the user makes by hand are refused, too.
    """
    if not settings.enabled:
        return "ghost text is switched off (mistralLsp.enabled)"
    if snapshot.refusal:
        return snapshot.refusal
    if any(map(is_secret, (snapshot.path, *paths_of(snapshot.uri)))):
        return "the file looks like one that holds secrets"
    if is_excluded(snapshot.names, settings):
        return "the file is excluded (mistralLsp.exclude)"
    if not is_on(snapshot, settings):
        name = snapshot.language_id or snapshot.language.name
        return f"{name} is switched off (mistralLsp.languages)"
    return None


def _refuse_place(cursor: Cursor, settings: Settings, trigger: Trigger) -> str | None:
    """Gives the reason why nothing is offered at the cursor, or None.

    Most of these rules apply to automatic requests only.
    """
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
    """Gives the reason why the model is not asked for an answer, or None.

    An answer in the cache is still offered.
    """
    line = cursor.line_prefix
    is_open = any(one.closer in ")]" for one in cursor.nesting.on_line)
    if trigger != "automatic" or cursor.line_suffix.strip() or is_open or cursor.region != "code":
        return None
    if re.search(cursor.language.finished, line):
        return "the line is finished"
    return None


def is_on(snapshot: Snapshot, settings: Settings) -> bool:
    """Whether the user wants completions in the file's language.

    The setting is looked up by the client's language id, then by our name of the language, then by
    `*`. The client's id tells JSX from JavaScript, and exists for languages without a grammar, too.
    """
    language = snapshot.language
    # Without an id from the client, the language's first id is used, which is VS Code's.
    said = snapshot.language_id or next(iter(language.ids), "")
    keys = (said, language.name, "*")
    return next((settings.languages[key] for key in keys if key in settings.languages), True)


def is_excluded(names: Sequence[str], settings: Settings) -> bool:
    """Whether the user's globs exclude a file.

    `names` are the file's paths below the workspace folders around it, innermost folder first. The
    first path that any glob matches decides.
    """
    return bool(settings.exclude) and _is_excluded(tuple(names), tuple(settings.exclude))


@lru_cache(maxsize=256)
def _is_excluded(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if any(len(name) > LONGEST_PATH or name.count("/") > DEEPEST for name in names):
        return True  # no file has such a path, and trying all globs on it would take long
    verdicts = (globs.decide_file(_globs(patterns), name.split("/")) for name in names)
    return next((verdict for verdict in verdicts if verdict is not None), False)


@lru_cache(maxsize=8)
def _globs(patterns: tuple[str, ...]) -> list[Glob]:
    return globs.read_lines(patterns)
