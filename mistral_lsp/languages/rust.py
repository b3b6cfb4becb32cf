"""Rust."""

from mistral_lsp.languages.base import (
    C_COMMENTS,
    CLOSES,
    CLOSES_AND_OPENS,
    ESCAPE,
    FINISHED,
    OPENS,
    SINGLE,
    Language,
    TextForm,
)

LANGUAGE = Language(
    name="rust",
    ids=("rust",),
    suffixes=(".rs",),
    grammar="tree_sitter_rust:language",
    comment_nodes=frozenset({"line_comment", "block_comment"}),
    string_nodes=frozenset({"string_literal", "raw_string_literal", "char_literal"}),
    definition_nodes=frozenset(
        {
            "function_item",
            "struct_item",
            "enum_item",
            "union_item",
            "trait_item",
            "impl_item",
            "mod_item",
            "macro_definition",
        }
    ),
    # A signature may go on with its bounds before the brace comes.
    block_opener=(
        rf"{OPENS}|^\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:async|const|unsafe)\s+)*"
        r"(?:fn|impl|trait|struct|enum)\b[^;{}=]*$"
    ),
    block_middle=rf"{CLOSES_AND_OPENS}|^\s*(?:\)\s*->[^;{{]*|where|\{{)$",
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(
        TextForm(r'b?r(#*)"', r'"\1', spans_lines=True),
        TextForm('"', '"', ESCAPE, spans_lines=True),
        SINGLE,
        *C_COMMENTS,
    ),
    atoms=r"'(?:\\[^'\n]*.|[^'\\\n])'|'\w+",
)
