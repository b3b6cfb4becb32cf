"""PHP, including the HTML around it."""

from mistral_lsp.languages.base import (
    BACKTICK,
    C_COMMENTS,
    CLOSES,
    CLOSES_AND_OPENS,
    ESCAPE,
    FINISHED,
    Language,
    TextForm,
)

LANGUAGE = Language(
    name="php",
    ids=("php",),
    suffixes=(".php", ".phtml"),
    grammar="tree_sitter_php:language_php",
    heredoc=r"""<<<[ \t]*["']?(\w+)""",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset(
        {"string", "encapsed_string", "heredoc", "nowdoc", "shell_command_expression"}
    ),
    interpolation_nodes=frozenset(
        {
            "variable_name",
            "dynamic_variable_name",
            "member_access_expression",
            "member_call_expression",
            "subscript_expression",
        }
    ),
    definition_nodes=frozenset(
        {
            "namespace_definition",
            "class_declaration",
            "interface_declaration",
            "trait_declaration",
            "enum_declaration",
            "method_declaration",
            "function_definition",
        }
    ),
    # The brace of a class and of a function stands on a line of its own.
    block_opener=(
        r"(?:[{(\[)]|\b(?:else|do|try|finally))$|"
        r"^\s*(?:(?:abstract|final|readonly|public|protected|private|static)\s+)*"
        r"(?:namespace|class|interface|trait|enum|function)\b[^;{}]*$|"
        r"^\s*(?:if|elseif|else|foreach|for|while|switch)\b.*:$"
    ),
    block_middle=rf"{CLOSES_AND_OPENS}|^\s*(?:\{{$|case\b|default:)|^\s*(?:else|elseif)\b.*:$",
    block_closer=rf"{CLOSES}|^\s*end(?:if|foreach|for|while|switch)\b",
    finished=FINISHED,
    texts=(
        TextForm('"', '"', ESCAPE, r"\{(?=\$)|\$\{", spans_lines=True),
        TextForm("'", "'", ESCAPE, spans_lines=True),
        BACKTICK,
        TextForm(r"#(?!\[)", "\n", is_comment=True),
        *C_COMMENTS,
    ),
)
