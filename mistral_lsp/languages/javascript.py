"""JavaScript, with JSX."""

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
    name="javascript",
    ids=("javascript", "javascriptreact"),
    suffixes=(".js", ".jsx", ".mjs", ".cjs"),
    grammar="tree_sitter_javascript:language",
    comment_nodes=frozenset({"comment", "html_comment"}),
    string_nodes=frozenset({"string", "template_string", "regex"}),
    interpolation_nodes=frozenset({"template_substitution"}),
    definition_nodes=frozenset(
        {
            "function_declaration",
            "generator_function_declaration",
            "class_declaration",
            "method_definition",
            "lexical_declaration",
            "export_statement",
        }
    ),
    block_opener=r"\{$",
    block_middle=CLOSES_AND_OPENS,
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(
        DOUBLE,
        SINGLE,
        TextForm("`", "`", ESCAPE, r"\$\{", spans_lines=True),
        *C_COMMENTS,
    ),
    has_regex=True,
)
