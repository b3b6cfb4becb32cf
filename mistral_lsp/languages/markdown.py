"""Markdown: only its blocks are parsed. A paragraph is plain text."""

from mistral_lsp.languages.base import BACKTICK, Language

LANGUAGE = Language(
    name="markdown",
    ids=("markdown",),
    suffixes=(".md", ".markdown", ".mkd"),
    grammar="tree_sitter_markdown:language",
    definition_nodes=frozenset({"section"}),
    body_nodes=frozenset(
        {
            "paragraph",
            "list",
            "block_quote",
            "fenced_code_block",
            "indented_code_block",
            "html_block",
            "pipe_table",
            "thematic_break",
            "link_reference_definition",
            "section",
        }
    ),
    texts=(BACKTICK,),
    is_code=False,
)
