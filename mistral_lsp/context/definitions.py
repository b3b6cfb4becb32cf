"""What a file defines for other files to use, as short texts."""

from __future__ import annotations

import textwrap
from itertools import islice

import msgspec

from mistral_lsp.context.files import MISSING, Stamp
from mistral_lsp.syntax.trees import Definition, SyntaxTree

WHOLE = 160
"""Characters up to which a definition is told whole; of a longer one, what precedes its body."""
LONGEST = 240
LONGEST_NAME = 80
MOST_AROUND = 8
"""Names around a definition. What is nested deeper is no use to other files."""
MOST_DEFINITIONS = 2_000
"""Of one file."""


class Defined(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A definition as other files see it: `text` has no indentation of its own."""

    name: str
    within: tuple[str, ...]
    text: str


class FileDefinitions(msgspec.Struct, frozen=True, array_like=True):
    """What the file at `path`, below its workspace folder, defines, in order. Its stamp is MISSING
    where nothing could be read.
    """

    path: str
    definitions: tuple[Defined, ...] = ()
    stamp: Stamp = MISSING


def read_definitions(
    path: str, text: str, tree: SyntaxTree, stamp: Stamp = MISSING
) -> FileDefinitions:
    """What a parsed file defines, but for what is nested very deep, or comes after very much."""
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
