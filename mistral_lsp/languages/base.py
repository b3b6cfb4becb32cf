"""What a language file says: data only, so that the next language costs minutes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    `grammar` is "module:function" of its tree-sitter wheel, or "" where there is none.
    The node kinds are the grammar's. `block_openers` are the line ends after which a block follows.
    """

    name: str
    ids: tuple[str, ...]
    suffixes: tuple[str, ...]
    grammar: str = ""
    comment_nodes: frozenset[str] = frozenset()
    string_nodes: frozenset[str] = frozenset()
    interpolation_nodes: frozenset[str] = frozenset()
    definition_nodes: frozenset[str] = frozenset()
    block_openers: tuple[str, ...] = ()
    closes_by_indentation: bool = False


PLAIN = Language(name="plain", ids=(), suffixes=())
