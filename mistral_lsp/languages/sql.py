"""SQL, with the keywords that its dialects have in common."""

from mistral_lsp.languages.base import DASHES, SLASH_STAR, Language, TextForm

_CLAUSE = (
    r"\)|(?:SELECT|FROM|JOIN|LEFT|RIGHT|FULL|INNER|CROSS|ON|USING|WHERE|AND|OR|GROUP|HAVING|WINDOW|"
    r"ORDER|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT|SET|VALUES|RETURNING|AS|BEGIN|WHEN|ELSE|ELSIF)\b"
)

LANGUAGE = Language(
    name="sql",
    ids=("sql", "mysql", "plsql", "pgsql"),
    suffixes=(".sql", ".psql", ".ddl"),
    grammar="tree_sitter_sql:language",
    comment_nodes=frozenset({"comment", "marginalia"}),
    string_nodes=frozenset({"literal"}),
    definition_nodes=frozenset({"create_table", "create_view", "create_function", "cte"}),
    body_nodes=frozenset({"column_definitions", "create_query", "function_body", "statement"}),
    # The clauses of a statement stand below each other; a semicolon ends it.
    block_opener=(
        r"(?i)\($|\b(?:AS|BEGIN|THEN|ELSE|LOOP|DECLARE)$|"
        r"^\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|CREATE)\b(?!.*;$)"
    ),
    block_middle=rf"(?i)^\s*(?:{_CLAUSE})(?!.*;$)",
    block_closer=rf"(?i)^\s*(?:;|END\b|(?:{_CLAUSE}).*;$)",
    finished=r";\s*$",
    texts=(
        TextForm("""(['"`])""", r"\1", spans_lines=True),
        TextForm(r"\$(\w*)\$", r"$\1$", spans_lines=True),
        DASHES,
        SLASH_STAR,
    ),
)
