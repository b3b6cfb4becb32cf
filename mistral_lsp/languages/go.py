"""Go."""

from mistral_lsp.languages.base import (
    BACKTICK,
    C_COMMENTS,
    CLOSES,
    CLOSES_AND_OPENS,
    DOUBLE,
    FINISHED,
    OPENS,
    SINGLE,
    Language,
)

LANGUAGE = Language(
    name="go",
    ids=("go",),
    suffixes=(".go",),
    grammar="tree_sitter_go:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"interpreted_string_literal", "raw_string_literal", "rune_literal"}),
    definition_nodes=frozenset({"function_declaration", "method_declaration", "type_declaration"}),
    body_nodes=frozenset({"{"}),
    block_opener=OPENS,
    block_middle=rf"{CLOSES_AND_OPENS}|^\s*(?:case\b|default:)",
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(DOUBLE, SINGLE, BACKTICK, *C_COMMENTS),
)
