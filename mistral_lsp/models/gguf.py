"""Reads a model's name, context length, marks and chat template from a GGUF header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mistral_lsp.models import soundness
from mistral_lsp.models.container import Array, BadModelFile, Content, read_content
from mistral_lsp.models.marks import MARKS
from mistral_lsp.text.shown import one_line

__all__ = ["BadModelFile", "Header", "read_header"]

TEXTLESS_KINDS = (2, 3)
"""The types of tokens that have no text: unknown and control."""

_SPECIAL_KEYS = {
    "bos": ("bos_token_id",),
    "eos": ("eos_token_id",),
    "eot": ("eot_token_id",),
    "fim_prefix": ("fim_pre_token_id", "prefix_token_id"),
    "fim_suffix": ("fim_suf_token_id", "suffix_token_id"),
    "fim_middle": ("fim_mid_token_id", "middle_token_id"),
    "file_sep": ("fim_sep_token_id",),
    "repo_name": ("fim_rep_token_id",),
}


_BEGUN_VOCABULARIES = (
    "llama-bpe",
    "llama3",
    "llama-v3",
    "falcon3",
    "falcon-h1",
    "pixtral",
    "lfm2",
    "tekken",
)
"""Vocabularies of the type "gpt2" whose prompts begin with "bos" if the header does not say."""


@dataclass(frozen=True, slots=True)
class Header:
    """Facts about a model, from the header of its GGUF file.

    `specials` maps our names of the special tokens to their ids, and `spelt` maps them to their
    spellings. `specials` contains "bos" only if a prompt begins with it. `controls` are the ids of
    all tokens without text, which must not be shown to a user. `old_flaw` is the reason why
    ctransformers must not load the file, worded as the end of a sentence. It is "" if ctransformers
    may load it. `template` is the chat template, or "".
    """

    name: str
    architecture: str
    context_length: int
    sliding_window: int
    specials: dict[str, int]
    spelt: dict[str, str]
    controls: frozenset[int]
    old_flaw: str = ""
    template: str = ""


def read_header(path: Path) -> Header:
    """Reads and checks the header of the model file at `path`.

    Raises BadModelFile if the file is missing, unreadable, not GGUF, truncated or malformed, or if
    loading it would crash a library.
    """
    content = read_content(path)
    wrong = soundness.flaw(content)
    if wrong:
        raise BadModelFile(
            f"{path} is damaged, or not what it says: {wrong}. Download or copy it again."
        )
    return _header(content)


def _header(content: Content) -> Header:
    metadata = content.metadata
    template = metadata.get("tokenizer.chat_template")
    architecture = str(metadata.get("general.architecture", ""))
    specials: dict[str, int] = {}
    for name, keys in _SPECIAL_KEYS.items():
        for key in keys:
            value = metadata.get(f"tokenizer.ggml.{key}")
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                specials.setdefault(name, value)
    spelt = _spelt(metadata, specials)
    kinds = metadata.get("tokenizer.ggml.token_type")
    numbered = enumerate(kinds.numbers() if isinstance(kinds, Array) else ())
    controls = {number for number, kind in numbered if kind in TEXTLESS_KINDS}
    controls |= set(specials.values())
    if not _begins_with_bos(metadata):
        specials.pop("bos", None)
    return Header(
        name=one_line(str(metadata.get("general.name", ""))),
        architecture=architecture,
        context_length=_whole(metadata.get(f"{architecture}.context_length")),
        sliding_window=_whole(metadata.get(f"{architecture}.attention.sliding_window")),
        specials=specials,
        spelt=spelt,
        controls=frozenset(controls),
        old_flaw=soundness.old_flaw(content),
        template=template if isinstance(template, str) else "",
    )


def _spelt(metadata: dict[str, Any], specials: dict[str, int]) -> dict[str, str]:
    """Gives the spellings of the marks. Also adds to `specials` marks that the metadata omits."""
    pieces = metadata.get("tokenizer.ggml.tokens")
    spelt = {}
    for piece, number in pieces.marks if isinstance(pieces, Array) else ():
        name = MARKS[piece]
        if specials.setdefault(name, number) == number:
            spelt[name] = piece
    return spelt


def _begins_with_bos(metadata: dict[str, Any]) -> bool:
    """Whether a prompt begins with "bos".

    If the header does not say, the vocabulary decides, as in llama.cpp.
    """
    said = metadata.get("tokenizer.ggml.add_bos_token")
    if isinstance(said, bool):
        return said
    is_other = metadata.get("tokenizer.ggml.model") != "gpt2"
    return is_other or metadata.get("tokenizer.ggml.pre") in _BEGUN_VOCABULARIES


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
