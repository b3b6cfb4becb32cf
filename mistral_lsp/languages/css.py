"""CSS."""

from mistral_lsp.languages.base import CLOSES, DOUBLE, FINISHED, OPENS, SINGLE, SLASH_STAR, Language

LANGUAGE = Language(
    name="css",
    ids=("css",),
    suffixes=(".css",),
    grammar="tree_sitter_css:language",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"string_value"}),
    definition_nodes=frozenset(
        {"rule_set", "media_statement", "supports_statement", "keyframes_statement", "at_rule"}
    ),
    body_nodes=frozenset({"block", "keyframe_block_list"}),
    block_opener=OPENS,
    block_closer=CLOSES,
    finished=FINISHED,
    texts=(DOUBLE, SINGLE, SLASH_STAR),
    is_code=False,
)
