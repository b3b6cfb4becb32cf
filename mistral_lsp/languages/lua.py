"""Lua."""

from mistral_lsp.languages.base import DASHES, DOUBLE, SINGLE, Language, TextForm

_FUNCTION = r"\bfunction\b[^()]*\([^()]*\)$"

LANGUAGE = Language(
    name="lua",
    ids=("lua",),
    suffixes=(".lua", ".rockspec"),
    names=(".luacheckrc",),
    grammar="tree_sitter_lua:language",
    comment_nodes=frozenset({"comment"}),
    block_comment=r"--\[(=*)\[.*\]\1\]",
    string_nodes=frozenset({"string"}),
    definition_nodes=frozenset({"function_declaration", "function_definition"}),
    body_nodes=frozenset({"end"}),
    block_opener=rf"\b(?:then|do|else|repeat)$|[{{(]$|{_FUNCTION}",
    block_middle=rf"^\s*(?:else|elseif)\b|^\s*(?:end\b|[}})]).*(?:[{{(]$|{_FUNCTION})",
    block_closer=r"^\s*(?:end\b|until\b|[})])",
    finished=r"^\s*end\s*$",
    texts=(
        TextForm(r"--\[(=*)\[", r"]\1]", spans_lines=True, is_comment=True),
        DASHES,
        TextForm(r"\[(=*)\[", r"]\1]", spans_lines=True),
        DOUBLE,
        SINGLE,
    ),
)
