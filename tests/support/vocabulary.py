"""BPE vocabularies for tests: a GGUF file without weights, and a backend that only tokenises."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import llama_cpp.llama_cpp as lib
from gguf import GGUFWriter, TokenType

from mistral_lsp.inference.backends.llama_cpp import LlamaCpp

LETTER, DIGIT = r"[^\W\d_]", r"\d"
OTHER = rf"(?:(?!{LETTER}|{DIGIT})\S)"
BLANKS = r"\s+(?!\S)|\s+"
GPT2 = rf" ?{LETTER}+| ?{DIGIT}+| ?{OTHER}+|{BLANKS}"
LLAMA3 = rf"(?!{DIGIT})[^\r\n]?{LETTER}+|{DIGIT}{{1,3}}| ?{OTHER}+[\r\n]*|\s*[\r\n]+|{BLANKS}"
GPT4O = LLAMA3.replace(r"+[\r\n]*|", r"+[\r\n/]*|")
DEEPSEEK = rf"[\r\n]|\s?{LETTER}+|\s?{OTHER}+|\s+|{DIGIT}"
SPLITS = {
    "gpt-2": GPT2,
    "starcoder": GPT2,
    "refact": GPT2,
    "command-r": GPT2,
    "smollm": GPT2,
    "codeshell": GPT2,
    "falcon": GPT2,
    "falcon3": LLAMA3,
    "falcon-h1": LLAMA3,
    "mpt": GPT2,
    "olmo": GPT2,
    "llama-bpe": LLAMA3,
    "dbrx": LLAMA3,
    "stablelm2": LLAMA3,
    "qwen2": LLAMA3,
    "qwen35": LLAMA3,
    "deepseek-r1-qwen": LLAMA3,
    "chatglm-bpe": LLAMA3,
    "seed-coder": LLAMA3,
    "hunyuan": LLAMA3,
    "granite-docling": GPT2,
    "mellum": GPT2,
    "mellum2": LLAMA3,
    "tekken": GPT4O,
    "gpt-4o": GPT4O,
    "llama4": GPT4O,
    "kimi-k2": GPT4O,
    "deepseek-llm": DEEPSEEK,
    "deepseek-coder": DEEPSEEK,
    "deepseek-v3": DEEPSEEK,
}
"""Patterns that split text into about the same words as llama.cpp's pre-tokenizers, by name."""


def byte_letters() -> dict[int, str]:
    """Gives the letter that stands for each byte in BPE vocabularies, as in GPT-2's encoder."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain}
    return letters | {byte: chr(256 + number) for number, byte in enumerate(others)}


@functools.cache
def _merges(split: str, texts: tuple[str, ...], words: int) -> tuple[list[str], list[str]]:
    letters = byte_letters()
    found = Counter(word for text in texts for word in re.findall(split, text))
    merges: dict[str, None] = {}
    for word, _ in found.most_common(words):
        spelt = [letters[byte] for byte in word.encode()]
        for end in range(1, len(spelt)):
            if word.startswith("\n"):  # as in real vocabularies: a run of blanks, then line feeds
                merges[spelt[-end - 1] + " " + "".join(spelt[-end:])] = None
            else:
                merges["".join(spelt[:end]) + " " + spelt[end]] = None
    longer = dict.fromkeys(merge.replace(" ", "") for merge in merges)
    return [*letters.values(), *longer], list(merges)


def write_vocabulary(path: Path, kind: str, texts: Iterable[str], words: int = 1500) -> None:
    """Writes a vocabulary file in which each of the most frequent words of `texts` is a token."""
    tokens, merges = _merges(SPLITS[kind], tuple(texts), words)
    writer = GGUFWriter(path, "llama")
    for add in (writer.add_block_count, writer.add_head_count, writer.add_context_length):
        add(1)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(32)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(kind)
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * len(tokens))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()


class VocabularyOnly(LlamaCpp):
    """A llama.cpp backend that loads only a model's vocabulary."""

    def __init__(self, path: Path):
        lib.llama_backend_init()
        params = lib.llama_model_default_params()
        params.vocab_only = True
        model = lib.llama_model_load_from_file(str(path).encode(), params)
        assert model, f"llama.cpp refuses {path}"
        self._read_vocabulary(model)
