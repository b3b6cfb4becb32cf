"""TypeScript."""

from dataclasses import replace

from mistral_lsp.languages import javascript

LANGUAGE = replace(
    javascript.LANGUAGE,
    name="typescript",
    ids=("typescript",),
    suffixes=(".ts", ".mts", ".cts"),
    grammar="tree_sitter_typescript:language_typescript",
    definition_nodes=javascript.LANGUAGE.definition_nodes
    | {
        "abstract_class_declaration",
        "interface_declaration",
        "type_alias_declaration",
        "enum_declaration",
        "internal_module",
    },
)
