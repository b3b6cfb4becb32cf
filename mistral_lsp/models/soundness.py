"""Refuses headers that would crash a native library.

Each refused value ends llama.cpp, ctransformers or both with a signal, for example by a division by
zero or an index beyond an array. `bench/soak/models.py` searches for more such values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mistral_lsp.models.container import STRING, Array, Content, Tensor

MOST_BLOCKS = 512
"""Maximum number of blocks (layers) of a model."""
SMALLEST_CONTEXT = 64
"""Minimum number of tokens of a model's context."""
BYTE = 6
"""The type of byte tokens in a vocabulary. Each stands for one byte."""
WHOLE_KINDS = (24, 25, 26, 27)
"""The types of tensors with integer elements."""
OLD_ARCHITECTURES = ("llama", "falcon")
"""The architectures that ctransformers may load."""
OLD_KINDS = frozenset({0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14})
"""The types of tensors that ctransformers knows. It dates from 2023."""
NO_TOKEN = 0xFFFFFFFF
"""The id that stands for no token."""

IDS = ("bos", "eos", "eot", "fim_pre", "fim_suf", "fim_mid", "fim_sep", "fim_rep")
IDS_OF_OLD = ("prefix", "suffix", "middle")
OLD_IDS = ("unknown", "padding", "seperator")
"""Special tokens that ctransformers looks up when it loads a model, in its own spelling. Our
prompts contain none of them.
"""


def flaw(content: Content) -> str:
    """Gives the reason why no library may load a file, or "" if it is sound.

    The reason is worded as the end of a sentence.
    """
    metadata = content.metadata
    return (
        _flaw_of_numbers(metadata, str(metadata.get("general.architecture", "")))
        or _flaw_of_vocabulary(metadata)
        or _stray(metadata, (*IDS, *IDS_OF_OLD))
        or _flaw_of_norms(content.tensors)
    )


def old_flaw(content: Content) -> str:
    """Gives the reason why ctransformers may not load a file, or "" if it may.

    ctransformers checks less than llama.cpp. The reason is worded as the end of a sentence.
    """
    metadata = content.metadata
    architecture = metadata.get("general.architecture")
    if architecture not in OLD_ARCHITECTURES:
        return f"its architecture is {architecture!r}"
    return (
        _flaw_of_heads(metadata, architecture)
        or _old_flaw_of_vocabulary(metadata)
        or _stray(metadata, OLD_IDS, NO_TOKEN)
        or _old_flaw_of_tensors(content.tensors)
    )


def _flaw_of_numbers(metadata: Mapping[str, Any], architecture: str) -> str:
    def number(key: str) -> Any:
        value = metadata.get(f"{architecture}.{key}")
        return value if isinstance(value, (int, float)) else None

    blocks = number("block_count")
    if blocks is not None and not 0 < blocks <= MOST_BLOCKS:
        return f"block_count is {blocks}"
    context = number("context_length")
    if context is not None and 0 < context < SMALLEST_CONTEXT:
        return f"context_length is {context}"
    for key in ("layer_norm_rms_epsilon", "layer_norm_epsilon"):
        epsilon = number(f"attention.{key}")
        if epsilon is not None and not (math.isfinite(epsilon) and epsilon >= 0):
            return f"{key} is {epsilon}"
    used, experts = number("expert_used_count") or 0, number("expert_count") or 0
    if used > experts:
        return f"expert_used_count is {used}, of {experts}"
    return ""


def _flaw_of_vocabulary(metadata: Mapping[str, Any]) -> str:
    tokens = metadata.get("tokenizer.ggml.tokens")
    if tokens is None:
        return ""
    if not isinstance(tokens, Array) or tokens.kind != STRING:
        return "its vocabulary is no list of texts"
    for name in ("scores", "token_type"):
        beside = metadata.get(f"tokenizer.ggml.{name}")
        if isinstance(beside, Array) and beside.count != tokens.count:
            return f"there are {tokens.count} tokens, but {beside.count} of tokenizer.ggml.{name}"
    return ""


def _stray(metadata: Mapping[str, Any], names: Sequence[str], none: int | None = None) -> str:
    """Gives the reason to refuse a special token whose id is beyond the vocabulary, or "".

    The id `none` is allowed: it stands for no token.
    """
    tokens = metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, Array):
        return ""  # no library loads a file without tokens
    count = tokens.count
    for name in names:
        token = metadata.get(f"tokenizer.ggml.{name}_token_id")
        if isinstance(token, int) and token >= count and token != none:
            return f"{name}_token_id is {token}, but there are {count} tokens"
    return ""


def _flaw_of_norms(tensors: Sequence[Tensor]) -> str:
    for tensor in tensors:
        if tensor.name.endswith("norm.weight") and tensor.kind in WHOLE_KINDS:
            return f"the tensor {tensor.name} is of type {tensor.kind}"
    return ""


def _flaw_of_heads(metadata: Mapping[str, Any], architecture: str) -> str:
    heads = metadata.get(f"{architecture}.attention.head_count")
    groups = metadata.get(f"{architecture}.attention.head_count_kv", heads)
    if isinstance(heads, int) and heads < 1:
        return f"head_count is {heads}"
    if isinstance(heads, int) and isinstance(groups, int) and not 0 < groups <= heads:
        return f"head_count_kv is {groups}, of {heads}"
    return ""


def _old_flaw_of_vocabulary(metadata: Mapping[str, Any]) -> str:
    tokens = metadata.get("tokenizer.ggml.tokens")
    kinds = metadata.get("tokenizer.ggml.token_type")
    wanted = {"scores": (6,), "token_type": (4, 5), "merges": (STRING,)}
    for name, forms in wanted.items():
        beside = metadata.get(f"tokenizer.ggml.{name}")
        if beside is not None and not (isinstance(beside, Array) and beside.kind in forms):
            return f"tokenizer.ggml.{name} is of another type than was expected"
    if isinstance(tokens, Array) and isinstance(kinds, Array):
        spelt = {number for number, kind in enumerate(kinds.numbers()) if kind == BYTE}
        if not spelt <= tokens.bytes_at:
            return "a token that is to stand for a byte is not spelt so"
    return ""


def _old_flaw_of_tensors(tensors: Sequence[Tensor]) -> str:
    for tensor in tensors:
        if tensor.kind not in OLD_KINDS or (len(tensor.shape) == 1 and tensor.kind != 0):
            return f"the tensor {tensor.name} is of type {tensor.kind}"
    return ""
