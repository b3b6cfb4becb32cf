"""Reads git's settings for ignored files: `core.excludesFile` and `core.ignoreCase`.

Git itself is not run: it may be missing, and the settings of a repository can make git run other
programs. If `core.excludesFile` is set several times, git uses the last value. Here, all the files
are used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from mistral_lsp.context import files
from mistral_lsp.context.files import Stamp

LARGEST = 100_000
"""Maximum number of bytes read of a settings file."""
MOST_FILES = 16
"""Maximum number of settings files that are read because other ones include them."""
SYSTEM = ("/etc/gitconfig", "/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig")
SECTION = re.compile(r"\s*\[\s*([\w.-]+)[^\]\n]*\]")
ENTRY = re.compile(r"\s*([a-zA-Z][\w-]*)\s*(?:=\s*(.*))?$")
PIECE = re.compile(r'"((?:\\.|[^"\\])*)"|\\(.)|([^"\\#;]+)')
ESCAPED = re.compile(r"\\(.)")


class GitSettings(NamedTuple):
    """Git's settings. `excludes` are files with ignore patterns for a whole repository."""

    excludes: tuple[Path, ...]
    ignore_case: bool


class _Settings(NamedTuple):
    """The settings in a single file."""

    excludes: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    ignore_case: bool = False


def repository(folder: Path) -> Path | None:
    """Gives the git directory of the repository whose top folder is `folder`, or None."""
    own = folder / ".git"
    if not os.path.lexists(own):
        return None
    named = _line(own).removeprefix("gitdir:").strip()  # of a worktree or a submodule
    own = folder / named if named else own
    return own / _line(own / "commondir")


def read_settings(repository: Path | None) -> GitSettings:
    """Reads the settings of the system, of the user, and of a repository if one is given.

    `repository` is its git directory.
    """
    home = _folder("XDG_CONFIG_HOME", "~/.config") / "git"
    own = [Path(path) for path in SYSTEM]
    own += [home / "config", _expanded("~/.gitconfig")]
    own.append(Path(os.environ.get("GIT_CONFIG_GLOBAL", "")))
    if repository is not None:
        own.append(repository / "config")
    found = list(_with_included(own))
    top = repository.parent if repository is not None else Path("/")
    excludes = [_path(name, top) for settings, _ in found for name in settings.excludes]
    return GitSettings(
        (home / "ignore", *excludes), any(settings.ignore_case for settings, _ in found)
    )


def _with_included(paths: list[Path]) -> Iterator[tuple[_Settings, Path]]:
    left, seen = list(paths), set(paths)
    while left and len(seen) <= len(paths) + MOST_FILES:
        path = left.pop(0)
        settings = _read(path, files.stamp(path, follow=True))
        yield settings, path
        included = [_path(name, path.parent) for name in settings.includes]
        left += [one for one in included if one not in seen]
        seen.update(included)


@lru_cache(maxsize=64)
def _read(path: Path, stamp: Stamp) -> _Settings:
    """Reads the settings in a file.

    `stamp` is part of the cache's key, so that a changed file is read again.
    """
    found = files.read(path, LARGEST, follow=True) if stamp != files.MISSING else None
    if found is None:
        return _Settings()
    excludes, includes, section, ignore_case = [], [], "", False
    text = found[0][:LARGEST].decode("utf-8-sig", "replace").replace("\\\n", "")
    for line in text.split("\n"):
        begun = SECTION.match(line)
        section = begun[1].lower() if begun else section
        entry = ENTRY.match(line[begun.end() if begun else 0 :].rstrip("\r"))
        if entry is None:
            continue
        key, value = f"{section}.{entry[1].lower()}", _value(entry[2] or "")
        if key == "core.excludesfile" and value:
            excludes.append(value)
        elif key in ("include.path", "includeif.path") and value:
            includes.append(value)
        elif key == "core.ignorecase":
            ignore_case = entry[2] is None or value.lower() in ("true", "yes", "on", "1")
    return _Settings(tuple(excludes), tuple(includes), ignore_case)


def _value(written: str) -> str:
    """Gives a setting's value: its text without quotes and comment, and with escapes resolved."""
    value = ""
    for quoted, escaped, plain in _pieces(written):
        value += ESCAPED.sub(r"\1", quoted) + escaped + plain
    return value.strip()


def _pieces(written: str) -> Iterator[tuple[str, str, str]]:
    place = 0
    while found := PIECE.match(written, place):
        place = found.end()
        yield found[1] or "", found[2] or "", found[3] or ""


def _line(path: Path) -> str:
    """Gives the stripped text of a short file, or "" if it can't be read."""
    found = files.read(path, LARGEST, follow=True)
    return "" if found is None else found[0].decode("utf-8", "replace").strip()


def _path(name: str, start: Path) -> Path:
    return start / _expanded(name)


def _folder(variable: str, otherwise: str) -> Path:
    given = os.environ.get(variable, "")
    return Path(given) if given.startswith("/") else _expanded(otherwise)


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # the home of an unknown user
        return Path(name)
