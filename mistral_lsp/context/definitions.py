"""Lists a file's definitions, as short texts for the prompts of other files."""

from __future__ import annotations

import textwrap
from itertools import islice

import msgspec

from mistral_lsp.context.files import MISSING, Stamp
from mistral_lsp.syntax.trees import Definition, SyntaxTree

WHOLE = 160
"""Maximum number of characters of a definition that is given whole. A longer one is cut to its
signature.
"""
LONGEST = 240
"""Maximum number of characters of a definition's text."""
LONGEST_NAME = 80
"""Maximum number of characters of a definition's name. A definition with a longer one is left out.
"""
MOST_AROUND = 8
"""Maximum number of definitions around a definition. A more deeply nested one is of no use to other
files.
"""
MOST_DEFINITIONS = 2_000
"""Maximum number of definitions of one file."""


class Defined(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A definition, as shown in the prompts of other files. `text` is dedented."""

    name: str
    within: tuple[str, ...]
    text: str


class FileDefinitions(msgspec.Struct, frozen=True, array_like=True):
    """The definitions of a file, in order. `path` is relative to a workspace folder.

    `stamp` is MISSING if the file could not be read.
    """

    path: str
    definitions: tuple[Defined, ...] = ()
    stamp: Stamp = MISSING


def read_definitions(
    path: str, text: str, tree: SyntaxTree, stamp: Stamp = MISSING
) -> FileDefinitions:
    """Gives the first MOST_DEFINITIONS definitions of a parsed file.

    Leaves out those that are nested too deep or have too long a name.
    """
    found = (one for one in tree.definitions() if _is_sensible(one))
    told = (
        Defined(one.name, one.within, _told(text, one)) for one in islice(found, MOST_DEFINITIONS)
    )
    return FileDefinitions(path, tuple(told), stamp)


def _is_sensible(found: Definition) -> bool:
    names = (found.name, *found.within)
    return len(names) <= MOST_AROUND + 1 and max(map(len, names)) <= LONGEST_NAME


def _told(text: str, found: Definition) -> str:
    span, header = found.scope.span, found.scope.header
    line_start = text.rfind("\n", 0, span.start) + 1
    start = line_start if not text[line_start : span.start].strip() else span.start
    end = span.end if span.end - span.start <= WHOLE else header.end
    told = textwrap.dedent(text[start : min(end, start + LONGEST)]).strip()
    return "\n".join(line for line in told.splitlines() if line.strip())
