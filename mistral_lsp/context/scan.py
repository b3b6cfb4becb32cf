"""Walks a workspace in a process of its own, and tells what its files define, a line a file.

`python -m mistral_lsp.context.scan FOLDER NEAR` begins with the files that are nearest to NEAR.
What .gitignore names, what looks like a secret, and what lies behind a symbolic link is not read.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec
import pathspec

from mistral_lsp import languages, syntax
from mistral_lsp.context.definitions import FileDefinitions, read_definitions
from mistral_lsp.context.secret_files import is_secret

LARGEST_FILE = 300_000
LONGEST_LINE = 2_000
"""A file with longer lines was written by a program."""
MOST_FILES = 20_000
FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__", "vendor"})
"""Folders with the code of others."""
LOWEST_PRIORITY = 19


def main(arguments: Sequence[str]) -> None:
    """Scans one folder, as a line of JSON for each file."""
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)  # whoever types comes first
    folder, near = Path(arguments[0]), arguments[1]
    paths = sorted(walk(folder), key=lambda path: (distance(path, near), path))
    for path in paths[:MOST_FILES]:
        found = read(folder, path)
        if found is not None:
            sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
            sys.stdout.buffer.flush()


def walk(folder: Path) -> Iterator[str]:
    """The files of known languages below a folder that belong to it, as paths with "/"."""
    ignored: dict[str, list[tuple[str, pathspec.GitIgnoreSpec]]] = {}
    real = os.path.realpath(folder)
    for where, folders, files in os.walk(folder):
        here = Path(where).relative_to(folder).as_posix()
        above = ignored.get(Path(here).parent.as_posix(), []) if here != "." else []
        rules = ignored[here] = [*above, *_rules(Path(where), here)]
        folders[:] = [
            name for name in folders if not _is_foreign(Path(where, name), rules, f"{here}/{name}/")
        ]
        for name in files:
            path = f"{here}/{name}".removeprefix("./")
            if _is_spelt(path) and _is_wanted(real, path, name) and not _is_ignored(path, rules):
                yield path


def belongs(folder: Path, path: str) -> bool:
    """Whether a walk of `folder` comes by the file at `path` below it, there or not."""
    rules = _rules(folder, ".")
    *folders, name = PurePosixPath(path).parts
    here = ""
    for inner in folders:
        here = f"{here}{inner}/"
        if _is_foreign(folder / here, rules, here):
            return False
        rules += _rules(folder / here, here.rstrip("/"))
    return _is_wanted(os.path.realpath(folder), path, name) and not _is_ignored(path, rules)


def _rules(where: Path, here: str) -> list[tuple[str, pathspec.GitIgnoreSpec]]:
    try:
        lines = (where / ".gitignore").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [("" if here == "." else f"{here}/", pathspec.GitIgnoreSpec.from_lines(lines))]


def _is_foreign(path: Path, rules: Sequence[tuple[str, pathspec.GitIgnoreSpec]], name: str) -> bool:
    return (
        path.name.startswith(".")
        or path.name in FOREIGN
        or (path / "pyvenv.cfg").exists()
        or _is_ignored(name.removeprefix("./"), rules)
    )


def _is_ignored(path: str, rules: Sequence[tuple[str, pathspec.GitIgnoreSpec]]) -> bool:
    return any(spec.match_file(path[len(base) :]) for base, spec in rules)


def _is_spelt(path: str) -> bool:
    """Whether a path is text; a name on disk may be any bytes."""
    return not any("\ud800" <= character <= "\udfff" for character in path)


def _is_wanted(folder: str, path: str, name: str) -> bool:
    language = languages.find("", name)
    return (
        language.is_code and bool(language.definition_nodes) and not is_secret(f"{folder}/{path}")
    )


def read(folder: Path, path: str) -> FileDefinitions | None:
    """What a file defines; None where it can't be read, or is not worth it."""
    text = read_text(folder, path)
    tree = None if text is None else syntax.parse(languages.find("", path), text)
    return read_definitions(path, text, tree) if text is not None and tree else None


def read_text(folder: Path, path: str) -> str | None:
    """The text of a file that somebody wrote, or None."""
    full = folder / path
    try:
        facts = full.lstat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST_FILE:
            return None
        text = full.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if max(map(len, text.split("\n"))) > LONGEST_LINE else text


def distance(path: str, near: str) -> int:
    """How many folders lie between two files."""
    here, there = path.split("/")[:-1], near.split("/")[:-1]
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    return len(here) + len(there) - 2 * common


if __name__ == "__main__":
    main(sys.argv[1:])
