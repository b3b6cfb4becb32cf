"""Writes a GGUF file of Mistral 7B's exact shape with random weights.

Run as `python -m bench.synthetic OUT.gguf`. The file's size, speed, memory and tokenizer are those
of the real model; its answers are noise.

No weights are quantised. A quantised block is a few factors and many small integers. Random bytes
for the integers, and fixed factors, give a block of random weights. The blocks' layouts:
https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-common.h
"""

from __future__ import annotations

import argparse
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy
from gguf import (
    GGML_QUANT_SIZES,
    GGML_QUANT_VERSION,
    GGMLQuantizationType as Kind,
    GGUFWriter,
    LlamaFileType,
    TokenType,
)
from numpy.typing import NDArray
from rich.progress import track
from sentencepiece import SentencePieceProcessor

ALIGNMENT = 32
HEADER_BYTES = 1 << 20
"""A number of bytes that no header exceeds. A header is mostly its vocabulary, about 0.73 MB."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of a model with Mistral's architecture."""

    name: str
    layers: int
    width: int
    feed_forward: int
    heads: int
    key_value_heads: int


SHAPES = {
    "mistral-7b": Shape("mistral-7b-shape-random", 32, 4096, 14336, 32, 8),
    "toy": Shape("toy-shape-random", 2, 256, 512, 4, 2),
}


@dataclass(frozen=True, slots=True)
class Mix:
    """The tensor types in one of llama.cpp's quantisations.

    `finer` is the type of the value and down matrices in layers that get more bits.
    """

    file_type: LlamaFileType
    most: Kind
    output: Kind
    finer: Kind


MIXES = {
    "Q4_0": Mix(LlamaFileType.MOSTLY_Q4_0, Kind.Q4_0, Kind.Q6_K, Kind.Q4_0),
    "Q5_K_M": Mix(LlamaFileType.MOSTLY_Q5_K_M, Kind.Q5_K, Kind.Q6_K, Kind.Q6_K),
    "Q8_0": Mix(LlamaFileType.MOSTLY_Q8_0, Kind.Q8_0, Kind.Q8_0, Kind.Q8_0),
}


@dataclass(frozen=True, slots=True)
class Block:
    """How random bytes become a block of weights.

    A block contains float16 factors. `factors` maps the offset of each to the number by which a
    common factor is multiplied there. `spread` is the standard deviation of the weights if the
    common factor is 1 and all other bytes are random.
    """

    factors: Mapping[int, float]
    spread: float


# In Q5_K the second factor is subtracted: 15.5, the mean of 0 to 31, makes the weights' mean 0.
BLOCKS = {
    Kind.Q4_0: Block({0: 1.0}, 4.64),
    Kind.Q8_0: Block({0: 1.0}, 73.9),
    Kind.Q5_K: Block({0: 1.0, 2: 15.5}, 527.0),
    Kind.Q6_K: Block({208: 1.0}, 1365.0),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor to write: rows of weights, or one row for a norm."""

    name: str
    shape: tuple[int, ...]
    kind: Kind

    @property
    def size(self) -> int:
        """The tensor's size in bytes."""
        elements, size = GGML_QUANT_SIZES[self.kind]
        return math.prod(self.shape) // elements * size


def tensors(shape: Shape, mix: Mix) -> Iterator[Tensor]:
    """Yields all tensors in the file's order."""
    vocabulary = tokenizer().vocab_size()
    yield Tensor("token_embd.weight", (vocabulary, shape.width), mix.most)
    for layer in range(shape.layers):
        yield from _layer(shape, mix, layer)
    yield Tensor("output_norm.weight", (shape.width,), Kind.F32)
    yield Tensor("output.weight", (vocabulary, shape.width), mix.output)


def _layer(shape: Shape, mix: Mix, layer: int) -> Iterator[Tensor]:
    width, wide = shape.width, shape.feed_forward
    narrow = width // shape.heads * shape.key_value_heads
    finer = mix.finer if takes_more_bits(layer, shape.layers) else mix.most
    for name, sizes, kind in (
        ("attn_norm", (width,), Kind.F32),
        ("attn_q", (width, width), mix.most),
        ("attn_k", (narrow, width), mix.most),
        ("attn_v", (narrow, width), finer),
        ("attn_output", (width, width), mix.most),
        ("ffn_norm", (width,), Kind.F32),
        ("ffn_gate", (wide, width), mix.most),
        ("ffn_up", (wide, width), mix.most),
        ("ffn_down", (width, wide), finer),
    ):
        yield Tensor(f"blk.{layer}.{name}.weight", sizes, kind)


def takes_more_bits(layer: int, layers: int) -> bool:
    """Whether a layer gets more bits, by `use_more_bits` in llama.cpp's llama-quant.cpp."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def weights_size(shape: Shape, mix: Mix) -> int:
    """Gives the file's size in bytes without the header. A header has at most `HEADER_BYTES`."""
    return sum(-(-tensor.size // ALIGNMENT) * ALIGNMENT for tensor in tensors(shape, mix))


def tokenizer() -> SentencePieceProcessor:
    """Loads the tokenizer of Mistral 7B v0.1 and v0.2, which is part of mistral-common."""
    file = resources.files("mistral_common") / "data" / "tokenizer.model.v1"
    return SentencePieceProcessor(model_proto=file.read_bytes())


def write(path: Path, shape: Shape, mix: Mix, seed: int) -> None:
    """Writes the model to a temporary file, and renames the file when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        _write(part, shape, mix, seed)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(path: Path, shape: Shape, mix: Mix, seed: int) -> None:
    writer = GGUFWriter(path, "llama")
    _add_shape(writer, shape, mix)
    _add_vocabulary(writer)
    wanted = list(tensors(shape, mix))
    for tensor in wanted:
        writer.add_tensor_info(
            tensor.name, tensor.shape, numpy.dtype(numpy.float32), tensor.size, tensor.kind
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    source = numpy.random.PCG64(seed)
    for tensor in track(wanted, description=path.name, transient=True):
        writer.write_tensor_data(_weights(tensor, source))
    writer.close()


def _add_shape(writer: GGUFWriter, shape: Shape, mix: Mix) -> None:
    writer.add_name(shape.name)
    writer.add_context_length(32768)
    writer.add_sliding_window(4096)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_block_count(shape.layers)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_value_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_file_type(mix.file_type)
    writer.add_quantization_version(GGML_QUANT_VERSION)


def _add_vocabulary(writer: GGUFWriter) -> None:
    pieces = tokenizer()
    ids = range(pieces.vocab_size())
    writer.add_tokenizer_model("llama")
    writer.add_token_list([pieces.id_to_piece(token) for token in ids])
    writer.add_token_scores([pieces.get_score(token) for token in ids])
    writer.add_token_types([_token_type(pieces, token) for token in ids])
    writer.add_bos_token_id(pieces.bos_id())
    writer.add_eos_token_id(pieces.eos_id())
    writer.add_unk_token_id(pieces.unk_id())


def _token_type(pieces: SentencePieceProcessor, token: int) -> TokenType:
    if pieces.is_unknown(token):
        return TokenType.UNKNOWN
    if pieces.is_control(token):
        return TokenType.CONTROL
    return TokenType.BYTE if pieces.is_byte(token) else TokenType.NORMAL


def _weights(tensor: Tensor, source: numpy.random.PCG64) -> NDArray[numpy.generic]:
    """Gives ones for a norm, and random blocks for other tensors.

    The weights' standard deviation is one over the square root of the row's length. So a matrix
    keeps the magnitude of its input, and no value overflows on its way through the layers.
    """
    if tensor.kind == Kind.F32:
        return numpy.ones(tensor.shape, numpy.float32)
    block = BLOCKS[tensor.kind]
    # A bit generator's raw stream is the same in all versions of numpy; `Generator` may change.
    random = source.random_raw(-(-tensor.size // 8)).view(numpy.uint8)[: tensor.size]
    blocks = random.reshape(-1, GGML_QUANT_SIZES[tensor.kind][1])
    unit = 1 / (block.spread * math.sqrt(tensor.shape[-1]))
    for place, ratio in block.factors.items():
        # Integers from -8 to 7 have a mean below 0; alternating signs compensate.
        for first, sign in ((0, 1), (1, -1)):
            factor = numpy.array([sign * unit * ratio], "<f2").view(numpy.uint8)
            blocks[first::2, place : place + 2] = factor
    return blocks


def main() -> None:
    """Writes the model described on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT.gguf")
    parser.add_argument("--shape", choices=SHAPES, default="mistral-7b")
    parser.add_argument("--type", choices=MIXES, default="Q5_K_M")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shape, mix = SHAPES[options.shape], MIXES[options.type]
    needed = weights_size(shape, mix) + HEADER_BYTES
    try:
        free = shutil.disk_usage(options.out.parent).free
    except OSError as error:
        parser.error(f"{options.out.parent} can't be written to ({error.strerror}).")
    if free < needed:
        parser.error(
            f"{options.out.parent} has {free / 1e9:.1f} GB free and the file takes "
            f"{needed / 1e9:.1f} GB. Make room, or choose another folder."
        )
    write(options.out, shape, mix, options.seed)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
