"""Bash. Also used for other shells, whose syntax is similar."""

from mistral_lsp.languages.base import BACKTICK, ESCAPE, Language, TextForm

LANGUAGE = Language(
    name="bash",
    ids=("shellscript", "sh", "bash", "zsh", "ksh"),
    suffixes=(".sh", ".bash", ".zsh", ".ksh"),
    names=(
        ".bashrc",
        ".bash_profile",
        ".bash_aliases",
        ".bash_logout",
        ".profile",
        ".zshrc",
        ".zprofile",
        ".zshenv",
        "PKGBUILD",
    ),
    grammar="tree_sitter_bash:language",
    heredoc=r"""<<-?[ \t]*(?:"([^"]*)|'([^']*)|\\?([^\s"'<>;&|()]+))""",
    comment_nodes=frozenset({"comment"}),
    string_nodes=frozenset({"string", "raw_string", "ansi_c_string", "heredoc_body"}),
    interpolation_nodes=frozenset({"command_substitution", "expansion", "simple_expansion"}),
    definition_nodes=frozenset({"function_definition"}),
    block_opener=(
        r"(?:\b(?:then|do|else)|[{(\\]|\(\))$|^\s*case\b.*\bin$|"
        r"^\s*(?:if|elif|for|while|until)\b(?!.*\b(?:fi|done)\b)"
    ),
    block_middle=r"^\s*(?:then|do|else|elif)\b|^\s*\{$|^\s*[^\s()]+\)$",
    block_closer=r"^\s*(?:(?:fi|done|esac)\b|[})])",
    finished=r"^\s*(?:fi|done|esac|\})\s*$",
    texts=(
        TextForm('"', '"', ESCAPE, r"\$\{|\$\(", spans_lines=True),
        TextForm(r"\$'", "'", ESCAPE, spans_lines=True),
        TextForm("'", "'", spans_lines=True),
        BACKTICK,
        TextForm(r"(?<![\w$&{])#", "\n", is_comment=True),
    ),
    atoms=ESCAPE,
)
