"""YAML."""

from mistral_lsp.languages.base import ESCAPE, Language, TextForm

LANGUAGE = Language(
    name="yaml",
    ids=("yaml", "dockercompose"),
    suffixes=(".yaml", ".yml", ".cff"),
    names=(".clang-format", ".clang-tidy"),
    grammar="tree_sitter_yaml:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"double_quote_scalar", "single_quote_scalar"}),
    definition_nodes=frozenset({"block_mapping_pair"}),
    body_nodes=frozenset({"block_node"}),
    # A sequence may stand as far left as its key.
    block_opener=r"(?::|[|>][-+]?)$",
    block_middle=r"^\s*-(?:\s|$)",
    item_mark=r"\s*(?:-\s+)+",
    closes_by_indentation=True,
    # An apostrophe within a word is no quote.
    texts=(
        TextForm('"', '"', ESCAPE, spans_lines=True),
        TextForm(r"(?<![\w.])'", "'", "''", spans_lines=True),
        TextForm(r"(?<!\S)#", "\n", is_comment=True),
    ),
    # The grammar's scanner (0.7) writes beyond its memory at the 254th open block.
    most_columns=120,
    is_code=False,
)
