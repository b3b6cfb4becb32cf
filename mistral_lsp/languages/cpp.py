"""C++."""

from dataclasses import replace

from mistral_lsp.languages import c
from mistral_lsp.languages.base import TextForm

LANGUAGE = replace(
    c.LANGUAGE,
    name="cpp",
    ids=("cpp",),
    suffixes=(".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp", ".inl"),
    grammar="tree_sitter_cpp:language",
    string_nodes=c.LANGUAGE.string_nodes | {"raw_string_literal"},
    definition_nodes=c.LANGUAGE.definition_nodes
    | {"class_specifier", "namespace_definition", "template_declaration", "concept_definition"},
    body_nodes=frozenset(
        {"compound_statement", "field_declaration_list", "enumerator_list", "declaration_list"}
    ),
    block_opener=(
        r"^(?!\s*#).*(?:[{(\[]|\)(?:\s*(?:const|noexcept|override|final|mutable))*|"
        r"\b(?:else|do|try))$|"
        r"^\s*(?:template\s*<.*>\s*)?(?:(?:typedef|static|inline)\s+)*"
        r"(?:class|struct|union|enum|namespace)\b[^;(){}=]*$"
    ),
    texts=(TextForm(r'R"([^()\\\s]{0,16})\(', r')\1"', spans_lines=True), *c.LANGUAGE.texts),
)
