"""The fill-in forms, as data: the order of a prompt's parts for each model family.

`<name>` is a special token. A model that lacks it gets the text in `WRITTEN` instead. All other
entries are texts, which `prompt.build` fills in. "related" stands for the excerpts of other files.
A `<file_sep>` is put before each excerpt, except in the forms in UNPARTED. "repository" stands for
a project's name and its mark.
"""

from __future__ import annotations

from mistral_lsp.models.chats import CHATS

PREFIX_FIRST = (
    "<bos>",
    "related",
    "<fim_prefix>",
    "introduction",
    "prefix",
    "<fim_suffix>",
    "suffix",
    "<fim_middle>",
)

FORMS: dict[str, tuple[str, ...]] = {
    "suffix-first": (
        "<bos>",
        "related",
        "<file_sep>",
        "path",
        "<fim_suffix>",
        "suffix",
        "<fim_prefix>",
        "introduction",
        "prefix",
        "<fim_middle>",
    ),
    "prefix-first": PREFIX_FIRST,
    # Qwen's form for several files of a project; without excerpts of others it is "prefix-first".
    "repository": (
        "<bos>",
        "repository",
        "related",
        "<file_sep>",
        "path",
        *PREFIX_FIRST[2:],
    ),
    # CodeLlama's tokenizer puts a space before the prefix.
    "codellama": PREFIX_FIRST,
    # Codestral: no special token after the prefix, and a space before it as for CodeLlama.
    "codestral": (
        "<bos>",
        "related",
        "<fim_suffix>",
        "suffix",
        "<fim_prefix>",
        "introduction",
        "prefix",
    ),
    # Seed-Coder, CodeGeeX and others that read the suffix first, and no path.
    "suffix-first-alone": (
        "<bos>",
        "related",
        "<fim_suffix>",
        "suffix",
        "<fim_prefix>",
        "introduction",
        "prefix",
        "<fim_middle>",
    ),
    # aiXcoder has all marks before the prefix.
    "aixcoder": (
        "<bos>",
        "related",
        "<fim_prefix>",
        "<fim_suffix>",
        "suffix",
        "<fim_middle>",
        "introduction",
        "prefix",
    ),
    # For models without fill-in training; the suffix is plain text that precedes the prefix.
    "plain": ("<bos>", "related", "suffix", "gap", "introduction", "prefix"),
    # For instruction models: the suffix is in the instruction, and the prefix is given as the
    # beginning of their answer.
    "instructed": (
        "<bos>",
        "<inst>",
        "instruction",
        "related",
        "suffix",
        "<inst_end>",
        "introduction",
        "prefix",
    ),
    # The same for the instruction models of other families; "opening" and "closing" are of Chat.
    **dict.fromkeys(
        CHATS,
        (
            "<bos>",
            "opening",
            "instruction",
            "related",
            "suffix",
            "closing",
            "introduction",
            "prefix",
        ),
    ),
}

SPACED = frozenset({"codellama", "codestral", "instructed"})
"""Forms that add a space before an instruction, and before the text that precedes the cursor."""
UNPARTED = frozenset({"plain", "instructed", *CHATS})
"""Forms that have no special token between files."""
SUFFIX_SHARE = 0.25
"""Share of a prompt's tokens that the suffix may have."""
WRITTEN = {"inst": " [INST]", "inst_end": " [/INST]", "eos": "</s>"}
"""Special tokens that can be written as text. Mistral's first vocabulary lacks them, and its models
learned the text.
"""


def reads_suffix_last(form: str) -> bool:
    """Whether the suffix comes after the prefix, which grows with each keystroke."""
    return FORMS[form].index("suffix") > FORMS[form].index("prefix")
