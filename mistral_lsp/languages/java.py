"""Java."""

from mistral_lsp.languages.base import (
    C_COMMENTS,
    CLOSES,
    CLOSES_AND_OPENS,
    DOUBLE,
    ESCAPE,
    FINISHED,
    OPENS,
    SINGLE,
    Language,
    TextForm,
)

LANGUAGE = Language(
    name="java",
    ids=("java",),
    suffixes=(".java",),
    grammar="tree_sitter_java:language",
    comment_nodes=frozenset({"line_comment", "block_comment"}),
    string_nodes=frozenset({"string_literal", "character_literal"}),
    interpolation_nodes=frozenset({"string_interpolation"}),
    definition_nodes=frozenset(
        {
            "class_declaration",
            "interface_declaration",
            "enum_declaration",
            "record_declaration",
            "annotation_type_declaration",
            "method_declaration",
            "constructor_declaration",
            "compact_constructor_declaration",
        }
    ),
    block_opener=OPENS,
    block_middle=rf"{CLOSES_AND_OPENS}|^\s*(?:case\b|default\b)",
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(TextForm('"""', '"""', ESCAPE, spans_lines=True), DOUBLE, SINGLE, *C_COMMENTS),
)
