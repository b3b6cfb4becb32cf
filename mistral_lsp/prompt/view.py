"""Gives the text of a file as a model may see it: without secrets."""

from __future__ import annotations

import posixpath

from mistral_lsp import languages
from mistral_lsp.document import Snapshot
from mistral_lsp.languages.base import PLAIN, Language
from mistral_lsp.prompt.blotting.names import word_set
from mistral_lsp.prompt.secrets import Style, blot, blotted, find_secrets

ABOVE, BEHIND = 4_000, 1_000
"""Number of characters that are searched for secrets before a range, and after it. A secret in the
range may begin in a line above, or end after the range.
"""

_CONFIG = frozenset({"yaml", "toml"})
_PROSE_SUFFIXES = word_set(
    ".md .markdown .mkd .txt .rst .adoc .asciidoc .tex .org .log .http .rest .html .htm .eml"
)
_CODE_SUFFIXES = word_set(
    """
    .swift .dart .scala .sc .pl .pm .r .jl .ex .exs .erl .hrl .clj .cljs .edn .hs .ml .mli .fs .fsx
    .vb .pas .m .mm .zig .nim .cr .d .v .sv .vhd .lisp .el .scm .rkt .groovy .gradle .vue .svelte
    .astro .sol .proto .graphql .tf .hcl .nix .bicep .ps1 .psm1 .coffee .elm .gd .pug .erb .ejs .j2
    .jinja .twig .xml .xsd .xaml .csproj .svg .plist .cmake .asm .s .f90 .cob .ino .adb .ads
    """
)
_SHELL_SUFFIXES = word_set(".fish .csh .tcsh .nu")


def style(path: str, language: Language) -> Style:
    """Gives the way in which a file writes values."""
    suffix = posixpath.splitext(path)[1].lower()
    if language.name == "bash" or suffix in _SHELL_SUFFIXES:
        return "shell"
    if suffix in _PROSE_SUFFIXES or language.name in ("markdown", "html"):
        return "prose"
    if language.name in _CONFIG or (language == PLAIN and suffix not in _CODE_SUFFIXES):
        return "config"
    return "code"


def blot_file(path: str, text: str) -> str:
    """Replaces the secrets in the text of a file, or in an excerpt of it."""
    return blot(text, style(path, languages.find("", path)))


def see_excerpt(text: str) -> str:
    """Replaces the secrets in an excerpt whose first line is the path of its file."""
    path, _, rest = text.partition("\n")
    return f"{path}\n{blot_file(path, rest)}"


def see(snapshot: Snapshot, start: int, end: int) -> str:
    """Gives the text from `start` to `end` without secrets. The number of lines does not change."""
    first = _first(snapshot, start)
    text = snapshot.text[first : _line_end(snapshot, end)]
    secrets = find_secrets(text, style(snapshot.path, snapshot.language))
    return blotted(text, start - first, end - first, secrets)


def see_around(
    snapshot: Snapshot, start: int, offset: int, untyped: str, suffix: str
) -> tuple[str, str]:
    """Gives the prefix from `start` to the cursor, and `suffix`, both without secrets.

    The cursor is at `offset`, as if the user had typed `untyped` there. A secret that
    contains the cursor is removed from both.
    """
    first = _first(snapshot, start)
    before = snapshot.text[first:offset] + untyped
    behind = suffix
    if not untyped and snapshot.text.startswith(suffix, offset):
        behind = snapshot.text[offset : _line_end(snapshot, offset + len(suffix))]
    text, cursor = before + behind, len(before)
    secrets = find_secrets(text, style(snapshot.path, snapshot.language), cursor)
    return (
        blotted(text, start - first, cursor, secrets),
        blotted(text, cursor, cursor + len(suffix), secrets),
    )


def is_in_secret(snapshot: Snapshot, offset: int) -> bool:
    """Whether `offset` is inside a secret or at one of its ends. The secret may be half typed."""
    first = _first(snapshot, offset)
    text = snapshot.text[first : _line_end(snapshot, offset)]
    secrets = find_secrets(text, style(snapshot.path, snapshot.language), offset - first)
    return any(start <= offset - first <= end for start, end in reversed(secrets))


def _first(snapshot: Snapshot, offset: int) -> int:
    """Gives the start of the line that contains the place ABOVE characters before `offset`.

    If this line is very long, gives the place 2 * ABOVE characters before `offset`.
    """
    number, _ = snapshot.place(max(0, offset - ABOVE))
    return max(snapshot.starts[number], offset - 2 * ABOVE)


def _line_end(snapshot: Snapshot, offset: int) -> int:
    number, column = snapshot.place(offset)
    return min(offset - column + len(snapshot.line(number)), offset + BEHIND)
