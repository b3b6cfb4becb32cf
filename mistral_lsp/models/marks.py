"""The spellings of marks, the special tokens of prompts, and the fill-in form for each spelling.

Sources: the models' own documentation, and the names that llama.cpp looks for in a vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

_SPELLINGS = {
    "fim_prefix": (
        "<|fim_prefix|>",
        "<fim_prefix>",
        "<fim-prefix>",
        "<｜fim▁begin｜>",
        "▁<PRE>",
        "<PRE>",
        "<|code_prefix|>",
        "[PREFIX]",
        "<[fim-prefix]>",
    ),
    "fim_suffix": (
        "<|fim_suffix|>",
        "<fim_suffix>",
        "<fim-suffix>",
        "<｜fim▁hole｜>",
        "▁<SUF>",
        "<SUF>",
        "<|code_suffix|>",
        "[SUFFIX]",
        "<[fim-suffix]>",
    ),
    "fim_middle": (
        "<|fim_middle|>",
        "<fim_middle>",
        "<fim-middle>",
        "<｜fim▁end｜>",
        "▁<MID>",
        "<MID>",
        "<|code_middle|>",
        "<[fim-middle]>",
    ),
    "inst": ("[INST]",),
    "inst_end": ("[/INST]",),
    "eot": ("▁<EOT>", "<EOT>"),
    "file_sep": ("<|file_sep|>", "<file_sep>", "<|file_separator|>"),
    "repo_name": ("<|repo_name|>", "<repo_name>", "<reponame>"),
}
MARKS = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
"""Our name for every mark, by its spelling."""
OPTIONAL = frozenset({"bos", "file_sep"})
"""Marks left out of a prompt if the model has none."""

_FORMS = {
    "▁<PRE>": "codellama",
    "<PRE>": "codellama",
    "<[fim-prefix]>": "suffix-first-alone",
    "<|code_prefix|>": "suffix-first-alone",
}

_INST_FAMILIES = ("mistral", "mixtral", "ministral")
"""Parts of the names of models that read instructions between [INST] and [/INST]."""

_BARS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_PLAIN = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mistrallsptinyfim", (*_BARS, "<|file_sep|>")),
    ("qwen25coder", (*_BARS, "<|file_sep|>")),
    ("qwen3coder", (*_BARS, "<|file_sep|>")),
    ("codegemma", (*_BARS, "<|file_separator|>")),
    ("starcoder2", (*_PLAIN, "<file_sep>")),
    ("starcoder", _PLAIN),
    ("stablecode", _PLAIN),
    ("deepseekcoder", ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>")),
    ("seedcoder", ("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>")),
)
"""The part that the names of a family's models share, in small letters and digits; its marks."""


def spelt_in(name: str) -> dict[str, str]:
    """Gives the spellings of a model's marks by its name; nothing for an unknown family.

    For models on servers that can't be asked for the vocabulary.
    """
    letters = "".join(filter(str.isalnum, name.lower()))
    for family, spellings in _FAMILIES:
        if family in letters:
            return {MARKS[spelling]: spelling for spelling in spellings}
    return {}


def form_of(spelt: Mapping[str, str], name: str) -> str:
    """Gives the fill-in form of a model, by the spellings of its marks and by its `name`."""
    prefix = spelt.get("fim_prefix", "")
    lower = name.lower()
    if prefix == "[PREFIX]" and "codestral" in lower:
        return "codestral"
    # Mistral's third vocabulary has these marks for all its models; few were taught them.
    if prefix == "[PREFIX]" or not {"fim_prefix", "fim_suffix", "fim_middle"} <= spelt.keys():
        instructed = "instruct" in lower and any(family in lower for family in _INST_FAMILIES)
        return "instructed" if instructed else "plain"
    return _FORMS.get(prefix, "prefix-first")
