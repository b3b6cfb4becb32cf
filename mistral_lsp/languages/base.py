"""What a language file says: data only, so that the next language costs minutes."""

from __future__ import annotations

from dataclasses import dataclass

NEVER = r"(?!)"
"""The pattern that nothing matches."""
OPENS = r"[{(\[]$"
CLOSES = r"^\s*[})\]]"
FINISHED = r";\s*$|^\s*\}\s*$"
CLOSES_AND_OPENS = r"^\s*[})\]].*[{(\[]$"


@dataclass(frozen=True, slots=True)
class TextForm:
    r"""One way to write a string or a comment.

    `begin` is the pattern of its opening mark. `end` is its closing mark, in which `\1` stands for
    the first group of `begin`. Inside, a match of `escape` is skipped, and a match of `code` begins
    an interpolation, which ends at the bracket that closes it. Unless it `spans_lines`, the text is
    over at the line's end.
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

    `grammar` is "module:function" of its tree-sitter wheel, or "" where there is none. The node
    kinds are the grammar's. A definition's signature ends where its field "body" begins, or where
    it has none, the first of `body_nodes` in it. `block_comment` matches a comment that is over
    behind its last mark; others go on there.

    Lines are told apart by patterns, searched in a line without its end. Behind a `block_opener`
    comes a block, of lines that are indented deeper; at the opener's own indentation a
    `block_middle` goes on with it, and a `block_closer` is its last line. An `item_mark` before an
    opener counts as its indentation. Behind a `finished` line nothing goes on.

    A grammar that does not survive deep nesting gives `most_columns`, in which blocks may begin.

    `texts` are the ways to write strings and comments; the first that matches counts. `atoms` match
    other tokens with quotes or brackets in them, such as lifetimes and characters. Where a language
    `has_regex`, a slash that can't divide begins a regular expression. What is not `is_code`
    defines nothing for other files, and a line of it may be right that does not parse yet.
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
    is_code: bool = True


PLAIN = Language(name="plain", ids=(), suffixes=(), texts=(DOUBLE, BACKTICK))
