"""Kotlin."""

from mistral_lsp.languages.base import (
    C_COMMENTS,
    CLOSES,
    ESCAPE,
    FINISHED,
    SINGLE,
    Language,
    TextForm,
)

LANGUAGE = Language(
    name="kotlin",
    ids=("kotlin",),
    suffixes=(".kt", ".kts"),
    grammar="tree_sitter_kotlin:language",
    comment_nodes=frozenset({"line_comment", "block_comment"}),
    string_nodes=frozenset({"string_literal", "multiline_string_literal", "character_literal"}),
    interpolation_nodes=frozenset({"interpolation"}),
    definition_nodes=frozenset(
        {
            "class_declaration",
            "object_declaration",
            "companion_object",
            "function_declaration",
            "secondary_constructor",
        }
    ),
    body_nodes=frozenset({"class_body", "enum_class_body", "function_body", "block"}),
    block_opener=r"(?:[{(\[]|->|=)$",
    block_middle=r"^\s*[})\]].*(?:[{(\[]|->)$",
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(
        TextForm('"""', '"""', code=r"\$\{", spans_lines=True),
        TextForm('"', '"', ESCAPE, r"\$\{"),
        SINGLE,
        *C_COMMENTS,
    ),
)
