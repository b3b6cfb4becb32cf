"""The record of one language: data only, so that adding a language takes minutes."""

from __future__ import annotations

from dataclasses import dataclass

NEVER = r"(?!)"
"""A pattern without any match."""
OPENS = r"[{(\[]$"
CLOSES = r"^\s*[})\]]"
FINISHED = r";\s*$|^\s*\}\s*$"
CLOSES_AND_OPENS = r"^\s*[})\]].*[{(\[]$"


@dataclass(frozen=True, slots=True)
class TextForm:
    r"""One way to write a string or a comment.

    `begin` is the pattern of its opening mark. `end` is its closing mark; `\1` in it stands for the
    first group of `begin`. Inside, a match of `escape` is skipped. A match of `code` begins an
    interpolation, up to its closing bracket. Without `spans_lines`, the text ends with its line.
    """

    begin: str
    end: str
    escape: str = NEVER
    code: str = NEVER
    spans_lines: bool = False
    is_comment: bool = False


ESCAPE = r"(?s:\\.)"
DOUBLE = TextForm('"', '"', ESCAPE)
SINGLE = TextForm("'", "'", ESCAPE)
BACKTICK = TextForm("`", "`", spans_lines=True)
SLASHES = TextForm("//", "\n", is_comment=True)
HASH = TextForm("#", "\n", is_comment=True)
DASHES = TextForm("--", "\n", is_comment=True)
SLASH_STAR = TextForm(r"/\*", "*/", spans_lines=True, is_comment=True)
C_COMMENTS = (SLASHES, SLASH_STAR)


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    `grammar` is "module:function" of its tree-sitter wheel, or "" without one. The `..._nodes` are
    node types of the grammar. A definition's signature ends before its field "body", or if it has
    none, before the first of `body_nodes` in it. `block_comment` matches a comment with a closing
    mark. At the end of any other comment, the cursor is still in that comment.

    The patterns for lines are searched in a line without its line end. A `block_opener` is followed
    by a block of lines indented deeper. At the opener's own indentation, a `block_middle` goes on
    with the block, and a `block_closer` is its last line. An `item_mark` before an opener is part
    of the opener's indentation. A `finished` line needs no completion at its end.

    `most_columns` is the most different columns where blocks may begin, for a grammar that crashes
    on deep nesting; 0 sets no bound. `heredoc` matches the beginning of a heredoc, for a grammar
    that crashes on long words; its last group is the word.

    `texts` are the forms of strings and comments; the first match is taken. `atoms` match other
    tokens with quotes or brackets in them, such as lifetimes and characters. With `has_regex`, a
    slash that can't divide begins a regular expression. Without `is_code`, files define nothing for
    other files, and syntax errors are ignored: a correct line may not parse yet.
    """

    name: str
    ids: tuple[str, ...]
    suffixes: tuple[str, ...]
    names: tuple[str, ...] = ()
    grammar: str = ""
    comment_nodes: frozenset[str] = frozenset()
    block_comment: str = r"/\*.*\*/"
    string_nodes: frozenset[str] = frozenset()
    interpolation_nodes: frozenset[str] = frozenset()
    definition_nodes: frozenset[str] = frozenset()
    body_nodes: frozenset[str] = frozenset()
    block_opener: str = NEVER
    block_middle: str = NEVER
    block_closer: str = NEVER
    item_mark: str = NEVER
    finished: str = NEVER
    closes_by_indentation: bool = False
    texts: tuple[TextForm, ...] = (DOUBLE, SINGLE)
    atoms: str = NEVER
    has_regex: bool = False
    most_columns: int = 0
    heredoc: str = ""
    is_code: bool = True


PLAIN = Language(name="plain", ids=(), suffixes=(), texts=(DOUBLE, BACKTICK))
