"""C#."""

from mistral_lsp.languages.base import (
    C_COMMENTS,
    CLOSES,
    CLOSES_AND_OPENS,
    DOUBLE,
    ESCAPE,
    FINISHED,
    SINGLE,
    Language,
    TextForm,
)

LANGUAGE = Language(
    name="csharp",
    ids=("csharp", "cs"),
    suffixes=(".cs", ".csx"),
    grammar="tree_sitter_c_sharp:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset(
        {
            "string_literal",
            "verbatim_string_literal",
            "raw_string_literal",
            "interpolated_string_expression",
            "character_literal",
        }
    ),
    interpolation_nodes=frozenset({"interpolation"}),
    definition_nodes=frozenset(
        {
            "namespace_declaration",
            "class_declaration",
            "struct_declaration",
            "interface_declaration",
            "enum_declaration",
            "record_declaration",
            "method_declaration",
            "constructor_declaration",
            "destructor_declaration",
            "operator_declaration",
            "indexer_declaration",
            "property_declaration",
            "local_function_statement",
        }
    ),
    body_nodes=frozenset({"declaration_list", "accessor_list", "arrow_expression_clause"}),
    # The brace stands on a line of its own, below the head of its block.
    block_opener=(
        r"(?:[{(\[)]|=>|\b(?:else|do|try|finally|get|set|init|add|remove))$|"
        r"^\s*(?:(?:static|sealed|abstract|partial|readonly|file)\s+)*"
        r"(?:public|private|protected|internal|class|struct|interface|enum|record|namespace)\b"
        r"[^;(){}=]*$"
    ),
    block_middle=rf"{CLOSES_AND_OPENS}|^\s*(?:\{{$|case\b|default:|#)",
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(
        TextForm(r'\$+("""+)', r"\1", code=r"\{+", spans_lines=True),
        TextForm(r'("""+)', r"\1", spans_lines=True),
        TextForm(r'(?:\$@|@\$)"', '"', r'""|\{\{', r"\{", spans_lines=True),
        TextForm('@"', '"', '""', spans_lines=True),
        TextForm(r'\$"', '"', rf"{ESCAPE}|\{{\{{", r"\{"),
        DOUBLE,
        SINGLE,
        *C_COMMENTS,
    ),
)
