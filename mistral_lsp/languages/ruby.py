"""Ruby."""

from mistral_lsp.languages.base import ESCAPE, HASH, Language, TextForm

_BLOCK = r"(?:\bdo|[{(\[])(?:\s*\|[^|]*\|)?$"

LANGUAGE = Language(
    name="ruby",
    ids=("ruby",),
    suffixes=(".rb", ".rake", ".gemspec", ".ru"),
    names=("Gemfile", "Rakefile", "Guardfile", "Podfile", "Vagrantfile", "Fastfile", "Brewfile"),
    grammar="tree_sitter_ruby:language",
    heredoc=r"""<<[~-]?(?:"([^"]*)|'([^']*)|`([^`]*)|([^\W\d]\w*))""",
    comment_nodes=frozenset({"comment"}),
    block_comment=r"=begin.*\n=end.*",
    string_nodes=frozenset(
        {
            "string",
            "subshell",
            "regex",
            "string_array",
            "symbol_array",
            "delimited_symbol",
            "heredoc_body",
        }
    ),
    interpolation_nodes=frozenset({"interpolation"}),
    definition_nodes=frozenset(
        {"class", "module", "singleton_class", "method", "singleton_method"}
    ),
    body_nodes=frozenset({"end"}),
    # A line with its own `end` opens nothing, nor does a method written as one expression.
    block_opener=(
        rf"{_BLOCK}|"
        r"^\s*(?:(?:private|protected|public|module_function|private_class_method)\s+)?def\b"
        r"(?!.*\bend$)(?!\s+[^\s(]+(?:\([^)]*\))?\s+=\s)|"
        r"^\s*(?:class|module|if|unless|elsif|else|case|when|in|while|until|for|begin|rescue|ensure)"
        r"\b(?!.*\bend$)(?!.*\bthen\s+\S)|"
        r"=\s*(?:if|unless|case|begin)\b(?!.*\bend$)"
    ),
    block_middle=rf"^\s*(?:else|elsif|when|in|rescue|ensure)\b|^\s*(?:end\b|[}})\]]).*{_BLOCK}",
    block_closer=r"^\s*(?:end\b|[})\]])",
    finished=r"^\s*end\s*$",
    texts=(
        TextForm("""(["`])""", r"\1", ESCAPE, r"#\{", spans_lines=True),
        TextForm("'", "'", ESCAPE, spans_lines=True),
        HASH,
    ),
    atoms=r"\?\S(?!\w)|\$['\"`]",
    has_regex=True,
)
