"""YAML."""

from mistral_lsp.languages.base import Language

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
    # A sequence may stand as far left as the key that it belongs to.
    block_opener=r"(?::|[|>][-+]?)$",
    block_middle=r"^\s*-(?:\s|$)",
    item_mark=r"\s*(?:-\s+)+",
    closes_by_indentation=True,
    quotes='"',
    is_code=False,
)
