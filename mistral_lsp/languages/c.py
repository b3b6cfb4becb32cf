"""C."""

from mistral_lsp.languages.base import (
    C_COMMENTS,
    CLOSES,
    CLOSES_AND_OPENS,
    DOUBLE,
    FINISHED,
    SINGLE,
    Language,
)

NUMBER = r"\b\d[\w.]*(?:'\w[\w.]*)*"
"""Matches a number, which may have apostrophes between its digits."""

LANGUAGE = Language(
    name="c",
    ids=("c",),
    suffixes=(".c", ".h"),
    grammar="tree_sitter_c:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"string_literal", "char_literal"}),
    definition_nodes=frozenset(
        {"function_definition", "struct_specifier", "union_specifier", "enum_specifier"}
    ),
    # The brace may stand on a line of its own, below the head of its block.
    block_opener=(
        r"^(?!\s*#).*(?:[{(\[)]|\b(?:else|do))$|"
        r"^\s*(?:(?:typedef|static|const)\s+)*(?:struct|union|enum)(?:\s+\w+)?$"
    ),
    block_middle=rf"{CLOSES_AND_OPENS}|^\s*(?:\{{$|case\b|default\s*:|\w[\w ]*:$|#)",
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(DOUBLE, SINGLE, *C_COMMENTS),
    atoms=NUMBER,
)
