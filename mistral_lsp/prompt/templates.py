"""The fill-in forms, as data: in which order a model family reads suffix and prefix.

`<name>` is one of the model's special tokens, other entries are texts that `build` fills in.
"""

from __future__ import annotations

FORMS: dict[str, tuple[str, ...]] = {
    "suffix-first": (
        "<bos>",
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
        "<fim_prefix>",
        "introduction",
        "prefix",
        "<fim_suffix>",
        "suffix",
        "<fim_middle>",
    ),
    # For models without fill-in training; the suffix is plain text that precedes the prefix.
    "plain": ("<bos>", "suffix", "gap", "introduction", "prefix"),
}
