"""TypeScript with JSX."""

from dataclasses import replace

from mistral_lsp.languages import typescript

LANGUAGE = replace(
    typescript.LANGUAGE,
    name="tsx",
    ids=("typescriptreact",),
    suffixes=(".tsx",),
    grammar="tree_sitter_typescript:language_tsx",
)
