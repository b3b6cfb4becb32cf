"""Writes tiny models with random weights and unusual caches: recurrent, or a sliding window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy
from gguf import GGUFWriter, TokenType

from tests.support.vocabulary import byte_letters

WIDTH, INNER, STATE, RANK, KERNEL = 32, 64, 8, 4, 4
WINDOW = 16
"""Number of tokens in the sliding window of the model that `write_gemma` writes."""
MARKS = ["<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]


def write_mamba(path: Path) -> None:
    """Writes a Mamba model, whose layers keep a state instead of keys and values."""
    writer, add = _begin(path, "mamba")
    for set_size, size in (
        (writer.add_ssm_conv_kernel, KERNEL),
        (writer.add_ssm_inner_size, INNER),
        (writer.add_ssm_state_size, STATE),
        (writer.add_ssm_time_step_rank, RANK),
        (writer.add_feed_forward_length, 0),
        (writer.add_head_count, 0),
    ):
        set_size(size)
    add("output_norm.weight")
    for block in ("blk.0.", "blk.1."):
        add(f"{block}attn_norm.weight")
        add(f"{block}ssm_in.weight", 2 * INNER, WIDTH)
        add(f"{block}ssm_conv1d.weight", INNER, KERNEL)
        add(f"{block}ssm_conv1d.bias", INNER)
        add(f"{block}ssm_x.weight", RANK + 2 * STATE, INNER)
        add(f"{block}ssm_dt.weight", INNER, RANK)
        add(f"{block}ssm_dt.bias", INNER)
        writer.add_tensor(f"{block}ssm_a", -numpy.ones((INNER, STATE), numpy.float32))
        add(f"{block}ssm_d", INNER)
        add(f"{block}ssm_out.weight", WIDTH, INNER)
    _end(writer)


def write_gemma(path: Path, marks: Sequence[str] = MARKS, template: str = "") -> None:
    """Writes a Gemma 3 model, in which most layers see only the last `WINDOW` tokens."""
    writer, add = _begin(path, "gemma3", marks)
    if template:
        writer.add_chat_template(template)
    for set_size, size in (
        (writer.add_feed_forward_length, INNER),
        (writer.add_head_count, 2),
        (writer.add_head_count_kv, 1),
        (writer.add_key_length, WIDTH // 2),
        (writer.add_value_length, WIDTH // 2),
        (writer.add_sliding_window, WINDOW),
    ):
        set_size(size)
    add("output_norm.weight")
    for block in ("blk.0.", "blk.1."):
        for norm in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            add(f"{block}{norm}.weight")
        add(f"{block}attn_q_norm.weight", WIDTH // 2)
        add(f"{block}attn_k_norm.weight", WIDTH // 2)
        add(f"{block}attn_q.weight", WIDTH, WIDTH)
        add(f"{block}attn_k.weight", WIDTH // 2, WIDTH)
        add(f"{block}attn_v.weight", WIDTH // 2, WIDTH)
        add(f"{block}attn_output.weight", WIDTH, WIDTH)
        add(f"{block}ffn_gate.weight", INNER, WIDTH)
        add(f"{block}ffn_up.weight", INNER, WIDTH)
        add(f"{block}ffn_down.weight", WIDTH, INNER)
    _end(writer)


def _begin(
    path: Path, architecture: str, marks: Sequence[str] = MARKS
) -> tuple[GGUFWriter, Callable[..., None]]:
    """Writes the metadata common to all models; gives a function that adds a tensor.

    A tensor added without a shape has the weights of a norm, all 1. Others have random weights.
    """
    writer = GGUFWriter(path, architecture)
    random = numpy.random.default_rng(1)

    def add(name: str, *shape: int) -> None:
        values = random.standard_normal(shape or (WIDTH,)).astype(numpy.float32)
        writer.add_tensor(name, values if shape else numpy.ones_like(values))

    writer.add_name(f"tiny {architecture}")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = [*byte_letters().values(), *marks]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    kinds = [TokenType.NORMAL] * 256 + [TokenType.CONTROL] * len(marks)
    writer.add_token_types(kinds)
    writer.add_token_merges(["a a"])
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(256)
    writer.add_add_bos_token(False)
    add("token_embd.weight", len(tokens), WIDTH)
    return writer, add


def _end(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
