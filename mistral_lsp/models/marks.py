"""Marks (the special tokens of prompts): their spellings, and the form that each spelling implies.

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
        "<|prefix|>",
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
        "<|suffix|>",
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
        "<|middle|>",
        "<[fim-middle]>",
    ),
    "inst": ("[INST]",),
    "inst_end": ("[/INST]",),
    "eot": ("▁<EOT>", "<EOT>"),
    "file_sep": ("<|file_sep|>", "<file_sep>", "<|file_separator|>", "<filename>"),
    "repo_name": ("<|repo_name|>", "<repo_name>", "<reponame>"),
}
MARKS = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
"""Maps the spelling of each mark to our name for it."""
OPTIONAL = frozenset({"bos", "file_sep"})
"""Marks that a prompt leaves out if the model does not have them."""

_FORMS = {
    "▁<PRE>": "codellama",
    "<PRE>": "codellama",
    "<[fim-prefix]>": "suffix-first-alone",
}
"""Maps a family's spelling of "fim_prefix" to the family's form, if the form is an unusual one."""
_FORMS_BY_NAME = {
    "mellum": "suffix-first",  # its marks are StarCoder's
    "codegeex": "suffix-first-alone",  # its marks are GLM's
}
_NEXT_EDIT_FAMILIES = ("sweepnextedit", "zeta")
"""Words in the names of models that were trained to predict the next edit."""

_INST_FAMILIES = ("mistral", "mixtral", "ministral")
"""Words in the names of models that read instructions between [INST] and [/INST]."""

_BARS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_PLAIN = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mistrallsptinyfim", (*_BARS, "<|file_sep|>")),
    ("qwen25coder", (*_BARS, "<|file_sep|>")),
    ("qwen3coder", (*_BARS, "<|file_sep|>")),
    ("qwen35", (*_BARS, "<|file_sep|>")),
    ("qwen36", (*_BARS, "<|file_sep|>")),
    ("sweepnextedit", (*_BARS, "<|file_sep|>")),
    ("granite42", ()),  # its vocabulary has marks, but it was not taught them
    ("granite4", _BARS),
    ("granitecode", (*_PLAIN, "<filename>")),
    ("granite3bcode", (*_PLAIN, "<filename>")),
    ("granite8bcode", (*_PLAIN, "<filename>")),
    ("mellum", (*_PLAIN, "<filename>")),
    ("falconh1tinycoder", ("<|prefix|>", "<|suffix|>", "<|middle|>")),
    ("codegeex4", ("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>")),
    ("glm4", ("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>")),
    ("codegemma", (*_BARS, "<|file_separator|>")),
    ("starcoder2", (*_PLAIN, "<file_sep>")),
    ("starcoder", (*_PLAIN, "<filename>")),
    ("santacoder", ("<fim-prefix>", "<fim-suffix>", "<fim-middle>")),
    ("refact", _PLAIN),
    ("stablecode", _PLAIN),
    ("deepseekcoder", ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>")),
    ("seedcoder", ("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>")),
)
"""For each model family: a text that the names of its models contain, and its marks. Names are
compared in lower case, by their letters and digits.
"""


def spelt_in(name: str) -> dict[str, str]:
    """Gives the spellings of a model's marks, judged by its name.

    Used for models on servers that don't tell their vocabulary. Gives none for an unknown family.
    """
    letters = _letters(name)
    for family, spellings in _FAMILIES:
        if family in letters:
            return {MARKS[spelling]: spelling for spelling in spellings}
    return {}


def form_of(spelt: Mapping[str, str], name: str) -> str:
    """Gives a model's fill-in form, judged by the spellings of its marks and by its `name`."""
    prefix = spelt.get("fim_prefix", "")
    lower = name.lower()
    if prefix == "[PREFIX]" and "codestral" in lower:
        return "codestral"
    # Mistral's third vocabulary has these marks for all its models; few were taught them.
    if prefix == "[PREFIX]" or not {"fim_prefix", "fim_suffix", "fim_middle"} <= spelt.keys():
        instructed = "instruct" in lower and any(family in lower for family in _INST_FAMILIES)
        return "instructed" if instructed else "plain"
    letters = _letters(name)
    by_name = (form for family, form in _FORMS_BY_NAME.items() if family in letters)
    return next(by_name, _FORMS.get(prefix, "prefix-first"))


def warning(form: str, name: str) -> str:
    """Gives a warning if a model is bad at filling in, judged by its form and name.

    Else gives "".
    """
    letters = _letters(name)
    if any(family in letters for family in _NEXT_EDIT_FAMILIES):
        return "This model was trained to predict next edits: a fill-in model answers better."
    if form == "plain":
        return "This model has no fill-in marks: one that was taught them answers better."
    return ""


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
