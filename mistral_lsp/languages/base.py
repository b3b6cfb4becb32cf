"""The record that describes one language. It contains only data, which makes adding one easy."""

from __future__ import annotations

from dataclasses import dataclass

NEVER = r"(?!)"
"""A pattern that matches nothing."""
OPENS = r"[{(\[]$"
CLOSES = r"^\s*[})\]]"
FINISHED = r";\s*$|^\s*\}\s*$"
CLOSES_AND_OPENS = r"^\s*[})\]].*[{(\[]$"


@dataclass(frozen=True, slots=True)
class TextForm:
    r"""One way to write a string or a comment.

    `begin` is the pattern of the opening mark. `end` is the closing mark, in which `\1` stands for
    the first group of `begin`. Within the text, a match of `escape` is skipped. A match of `code`
    begins an interpolation, which ends at its closing bracket. Unless `spans_lines`, the text ends
    at the end of its line.
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

    `grammar` is "module:function" of the language's tree-sitter wheel, or "" if there is none. The
    fields `..._nodes` contain node types of the grammar. A definition's signature ends before its
    field "body". If there is no such field, it ends before the first of `body_nodes`.
    `block_comment` matches a comment with a closing mark. At the end of any other comment, the
    cursor is still in the comment.

    The patterns for lines are searched in a line without its line end. After a `block_opener`, a
    block of lines with deeper indentation follows. A `block_middle` has the opener's own
    indentation, and the block continues after it. A `block_closer` has this indentation, too, and
    is the block's last line. An `item_mark` before an opener counts as part of its indentation. A
    `finished` line needs no completion at its end.

    `most_columns` is for a grammar that crashes on deep nesting. It is the maximum number of
    different columns where blocks may begin; 0 means no maximum. `heredoc` is for a grammar that
    crashes on long words. It matches the beginning of a heredoc, and its last group is the word
    that ends it.

    `texts` are the forms of strings and comments, of which the first match counts. `atoms` match
    other tokens that contain quotes or brackets, such as Rust's lifetimes. With `has_regex`, a
    slash that can't be a division begins a regular expression. Without `is_code`, the language's
    files define nothing for other files, and their syntax errors are ignored.
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
