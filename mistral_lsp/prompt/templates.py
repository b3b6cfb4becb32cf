"""The fill-in forms, as data: in which order a model family reads suffix and prefix.

`<name>` is one of the model's special tokens, or written out as `WRITTEN` says where it has none;
other entries are texts that `build` fills in.
"related" are excerpts of other files, each behind the mark between files where the form has one.
"""

from __future__ import annotations

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
    "prefix-first": (
        "<bos>",
        "related",
        "<fim_prefix>",
        "introduction",
        "prefix",
        "<fim_suffix>",
        "suffix",
        "<fim_middle>",
    ),
    # CodeLlama: the order of the line above, but its tokenizer puts a space before the prefix.
    "codellama": (
        "<bos>",
        "related",
        "<fim_prefix>",
        "introduction",
        "prefix",
        "<fim_suffix>",
        "suffix",
        "<fim_middle>",
    ),
    # Codestral: no mark behind the prefix, which has a space in front as CodeLlama's.
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
    # For models without fill-in training; the suffix is plain text that precedes the prefix.
    "plain": ("<bos>", "related", "suffix", "gap", "introduction", "prefix"),
    # For models that follow instructions: they are told what comes next, and the text before the
    # cursor is put into their mouth as the beginning of their answer.
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
}

SPACED = frozenset({"codellama", "codestral", "instructed"})
"""Forms in which the text before the cursor begins with a space that is not the file's."""
UNPARTED = frozenset({"plain", "instructed"})
"""Forms of models that know no mark between files."""
WRITTEN = {"inst": " [INST]", "inst_end": " [/INST]"}
"""Marks that Mistral's first vocabulary has no tokens for; its models were taught them as text."""


def reads_suffix_last(form: str) -> bool:
    """Whether every keystroke makes the model read the suffix again."""
    return FORMS[form].index("suffix") > FORMS[form].index("prefix")
