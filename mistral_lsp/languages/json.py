"""JSON, including the comments that some programs accept."""

from mistral_lsp.languages.base import C_COMMENTS, CLOSES, CLOSES_AND_OPENS, DOUBLE, OPENS, Language

LANGUAGE = Language(
    name="json",
    ids=("json", "jsonc", "jsonl"),
    suffixes=(".json", ".jsonc", ".jsonl", ".geojson", ".webmanifest", ".code-workspace"),
    names=(".prettierrc", ".eslintrc", ".babelrc", "composer.lock", "Pipfile.lock", "flake.lock"),
    grammar="tree_sitter_json:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"string"}),
    definition_nodes=frozenset({"pair"}),
    body_nodes=frozenset({"object", "array"}),
    block_opener=OPENS,
    block_middle=CLOSES_AND_OPENS,
    block_closer=CLOSES,
    texts=(DOUBLE, *C_COMMENTS),
    is_code=False,
)
