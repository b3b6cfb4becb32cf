"""HTML."""

from mistral_lsp.languages.base import CLOSES_AND_OPENS, DOUBLE, Language, TextForm

LANGUAGE = Language(
    name="html",
    ids=("html",),
    suffixes=(".html", ".htm", ".xhtml"),
    grammar="tree_sitter_html:language",
    comment_nodes=frozenset({"comment"}),
    block_comment=r"<!--.*-->",
    string_nodes=frozenset({"quoted_attribute_value"}),
    definition_nodes=frozenset({"element", "script_element", "style_element"}),
    body_nodes=frozenset(
        {
            "text",
            "raw_text",
            "comment",
            "element",
            "script_element",
            "style_element",
            "end_tag",
        }
    ),
    # Void elements have no block; braces are for scripts and styles.
    block_opener=(
        r"(?i)<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)\b)"
        r"[a-z][^<>]*(?<!/)>$|<[a-z][\w-]*$|\{$"
    ),
    block_middle=rf"{CLOSES_AND_OPENS}|^\s*>$",
    block_closer=r"^\s*(?:</|/>|[})\]])",
    # An apostrophe in prose is no quote.
    texts=(
        TextForm("""(?<==)(["'])""", r"\1", spans_lines=True),
        DOUBLE,
        TextForm("<!--", "-->", spans_lines=True, is_comment=True),
    ),
    is_code=False,
)
