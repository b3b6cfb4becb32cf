"""What a file defines for other files to use, as short texts."""

from __future__ import annotations

import textwrap

import msgspec

from mistral_lsp.syntax import Definition, SyntaxTree

WHOLE = 160
"""Characters up to which a definition is told whole; of a longer one, what precedes its body."""
LONGEST = 240


class Defined(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A definition as other files see it: `text` has no indentation of its own."""

    name: str
    within: tuple[str, ...]
    text: str


class FileDefinitions(msgspec.Struct, frozen=True, array_like=True):
    """What the file at `path`, below its workspace folder, defines, in order."""

    path: str
    definitions: tuple[Defined, ...]


def read_definitions(path: str, text: str, tree: SyntaxTree) -> FileDefinitions:
    """What a parsed file defines."""
    return FileDefinitions(
        path,
        tuple(
            Defined(found.name, found.within, _told(text, found)) for found in tree.definitions()
        ),
    )


def _told(text: str, found: Definition) -> str:
    span, header = found.scope.span, found.scope.header
    line_start = text.rfind("\n", 0, span.start) + 1
    start = line_start if not text[line_start : span.start].strip() else span.start
    end = span.end if span.end - span.start <= WHOLE else header.end
    told = textwrap.dedent(text[start : min(end, start + LONGEST)]).strip()
    return "\n".join(line for line in told.splitlines() if line.strip())
