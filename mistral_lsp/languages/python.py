"""Python."""

from mistral_lsp.languages.base import ESCAPE, HASH, Language, TextForm

F_ESCAPE = rf"{ESCAPE}|\{{\{{"
F_CODE = r"\{"

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
    texts=(
        TextForm(r'(?i:fr?|rf|tr?|rt)("""|\'\'\')', r"\1", F_ESCAPE, F_CODE, spans_lines=True),
        TextForm(r'(?i:[ub]|[bu]?r|rb)?("""|\'\'\')', r"\1", ESCAPE, spans_lines=True),
        TextForm(r"""(?i:fr?|rf|tr?|rt)("|')""", r"\1", F_ESCAPE, F_CODE),
        TextForm(r"""(?i:[ub]|[bu]?r|rb)?("|')""", r"\1", ESCAPE),
        HASH,
    ),
)
