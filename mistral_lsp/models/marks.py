"""Marks (the special tokens of prompts): their spellings, and the form that each spelling implies.

Sources: the models' own documentation, and the names that llama.cpp looks for in a vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mistral_lsp.models.chats import CHATS, WRITTEN_OUT, chat_marks, form_of_chat

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
        "▁<AIX-SPAN-PRE>",
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
        "▁<AIX-SPAN-POST>",
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
        "▁<AIX-SPAN-MIDDLE>",
    ),
    "inst": ("[INST]",),
    "inst_end": ("[/INST]",),
    "eos": ("</s>",),
    "eot": ("▁<EOT>", "<EOT>"),
    "file_sep": ("<|file_sep|>", "<file_sep>", "<|file_separator|>", "<filename>"),
    "repo_name": ("<|repo_name|>", "<repo_name>", "<reponame>"),
}
MARKS = {mark: mark for mark in chat_marks()} | {
    spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings
}
"""Maps the spelling of each mark to our name for it. The marks of chats are their own names."""
OPTIONAL = frozenset({"bos", "file_sep"})
"""Marks that a prompt leaves out if the model does not have them."""

_FORMS = {
    "▁<PRE>": "codellama",
    "<PRE>": "codellama",
    "<[fim-prefix]>": "suffix-first-alone",
    "▁<AIX-SPAN-PRE>": "aixcoder",
}
"""Maps a family's spelling of "fim_prefix" to the family's form, if the form is an unusual one."""
_FORMS_BY_NAME = {
    "mistrallsptinyfim": "suffix-first",  # its marks are Qwen's
    "mellum": "suffix-first",  # its marks are StarCoder's
    "codegeex": "suffix-first-alone",  # its marks are GLM's
}
_NEXT_EDIT_FAMILIES = ("sweepnextedit", "zeta")
"""Words in the names of models that were trained to predict the next edit."""

_UNTAUGHT_FAMILIES = ("granite42", "yicoder", "opencoder")
"""Words in the names of models that may have fill-in marks, but are not known to be taught them."""
_INST_FAMILIES = ("mistral", "mixtral", "ministral")
"""Words in the names of models that read instructions between [INST] and [/INST]."""
_INST_FORMS = ("instructed", "tekken")
_BASE = re.compile(r"(?<![a-z])base(?![a-z])")
"""A word in the names of models that were taught no chat. Some of their files have a template."""

_BARS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_QWEN = (*_BARS, "<|file_sep|>", "<|repo_name|>")
_PLAIN = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mistrallsptinyfim", (*_BARS, "<|file_sep|>")),
    ("qwen25coder", _QWEN),
    ("qwen3coder", _QWEN),
    ("qwen35", _QWEN),
    ("qwen36", _QWEN),
    ("sweepnextedit", _QWEN),
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


def form_of(spelt: Mapping[str, str], name: str, template: str = "") -> str:
    """Gives a model's form, judged by its marks' spellings, its `name` and its chat template."""
    prefix = spelt.get("fim_prefix", "")
    if prefix == "[PREFIX]" and "codestral" in name.lower():
        return "codestral"
    letters = _letters(name)
    # Mistral's third vocabulary has these marks for all its models; few were taught them.
    is_untaught = prefix == "[PREFIX]" or any(family in letters for family in _UNTAUGHT_FAMILIES)
    if is_untaught or not {"fim_prefix", "fim_suffix", "fim_middle"} <= spelt.keys():
        return _form_without_marks(spelt, name.lower(), template)
    by_name = (form for family, form in _FORMS_BY_NAME.items() if family in letters)
    spelt_as_qwen = all(spelt.get(MARKS[mark]) == mark for mark in _QWEN)
    usual = "repository" if spelt_as_qwen else "prefix-first"
    return next(by_name, _FORMS.get(prefix, usual))


def _form_without_marks(spelt: Mapping[str, str], lower: str, template: str) -> str:
    """Gives a model's chat form, or "plain" if it has none that is known.

    `lower` is the model's name in lower case.
    """
    form = form_of_chat(template)
    if form in CHATS and form not in WRITTEN_OUT:
        form = form if set(chat_marks([form])) <= set(spelt.values()) else ""
    is_mistral = any(family in lower for family in _INST_FAMILIES)
    if is_mistral and form in ("", *_INST_FORMS):
        # Mistral's files need no template. Those of its base models may have the others' template.
        return (form or "instructed") if "instruct" in lower else "plain"
    return "plain" if _BASE.search(lower) else form or "plain"


def warning(form: str, name: str, template: str = "") -> str:
    """Gives a warning if a model is bad at filling in, judged by its form, name and template.

    Else gives "".
    """
    letters = _letters(name)
    if any(family in letters for family in _NEXT_EDIT_FAMILIES):
        return "This model was trained to predict next edits: a fill-in model answers better."
    better = "One that was taught fill-in marks answers better."
    if form == "plain":
        why = ", and its chat template is not known here" if template else ""
        if template and form_of_chat(template):
            why = ", and its chat template does not fit its name or its vocabulary"
        return f"This model was taught no fill-in marks{why}, so it gets plain text. {better}"
    if form in CHATS or form == "instructed":
        return (
            f"This model was taught no fill-in marks, so it is asked as a chat ({form}). {better}"
        )
    return ""


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
