"""TOML."""

from mistral_lsp.languages.base import CLOSES, DOUBLE, ESCAPE, HASH, OPENS, Language, TextForm

LANGUAGE = Language(
    name="toml",
    ids=("toml",),
    suffixes=(".toml",),
    names=("Cargo.lock", "Pipfile", "poetry.lock", "pdm.lock", "uv.lock"),
    grammar="tree_sitter_toml:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"string"}),
    definition_nodes=frozenset({"table", "table_array_element"}),
    body_nodes=frozenset({"pair"}),
    block_opener=OPENS,
    block_closer=CLOSES,
    texts=(
        TextForm('"""', '"""', ESCAPE, spans_lines=True),
        TextForm("'''", "'''", spans_lines=True),
        DOUBLE,
        TextForm("'", "'"),
        HASH,
    ),
    is_code=False,
)
