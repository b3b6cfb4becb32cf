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
class Language:
    """One language.

    `grammar` is "module:function" of its tree-sitter wheel, or "" where there is none. The node
    kinds are the grammar's. A definition's signature ends where its field "body" begins, or where
    it has none, the first of `body_nodes` in it. `block_comment` matches a comment that is over
    behind its last mark; others go on there.

    Lines are told apart by patterns, searched in a line without its end. Behind a `block_opener`
    comes a block, of lines that are indented deeper; at the opener's own indentation a
    `block_middle` goes on with it, and a `block_closer` is its last line. An `item_mark` before an
    opener counts as its indentation. Behind a `finished` line nothing goes on. `quotes` are the
    characters that strings stand between, as far as prose and other uses leave no doubt. What is
    not `is_code` defines nothing for other files, and a line of it may be right that does not parse
    yet.
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
    quotes: str = "\"'`"
    is_code: bool = True


PLAIN = Language(name="plain", ids=(), suffixes=(), quotes='"`')
