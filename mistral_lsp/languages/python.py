"""Python."""

from mistral_lsp.languages.base import Language

LANGUAGE = Language(
    name="python",
    ids=("python",),
    suffixes=(".py", ".pyi", ".pyw"),
    grammar="tree_sitter_python:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"string", "concatenated_string"}),
    interpolation_nodes=frozenset({"interpolation"}),
    definition_nodes=frozenset({"function_definition", "class_definition", "decorated_definition"}),
    block_opener=r":$",
    closes_by_indentation=True,
    quotes="\"'",
)
