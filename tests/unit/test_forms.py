"""Prompts match every model family's fill-in form, byte by byte."""

from __future__ import annotations

import struct
from importlib import resources
from pathlib import Path

import pytest
import sentencepiece
from mistral_common.protocol.fim.request import FIMRequest
from mistral_common.protocol.instruct.messages import AssistantMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from mistral_lsp import languages
from mistral_lsp.document import Document
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models import registry
from mistral_lsp.models.gguf import Header, read_header
from mistral_lsp.models.marks import form_of, spelt_in, warning
from mistral_lsp.prompt.build import INSTRUCTION, build
from mistral_lsp.prompt.window import Budget, Plan
from mistral_lsp.types import Excerpt, Prompt

PREFIX, SUFFIX = "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n"
STRING, ARRAY, BOOL, INT = 8, 9, 7, 4


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def header_of(tmp_path: Path, name: str, pieces: list[str], vocabulary: str) -> Header:
    """Reads the header of a file that contains only a model's name and vocabulary."""
    pairs = [
        text("general.name") + struct.pack("<I", STRING) + text(name),
        text("tokenizer.ggml.model") + struct.pack("<I", STRING) + text(vocabulary),
        text("tokenizer.ggml.bos_token_id") + struct.pack("<II", INT, 0),
        text("tokenizer.ggml.tokens")
        + struct.pack("<IIQ", ARRAY, STRING, len(pieces))
        + b"".join(map(text, pieces)),
    ]
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs) + b"\0" * 64)
    return read_header(path)


def asked(form: str, prefix: str = PREFIX, suffix: str = SUFFIX, related=()) -> Prompt:
    document = Document("", "add.py", languages.find("python"), 1, prefix + suffix)
    plan = Plan(Budget(500, 500), 0, "", "", suffix, True, 0, 0, related)
    return build(form, plan, document.snapshot(), len(prefix))


def written(prompt: Prompt, header: Header) -> str:
    """Gives a prompt as text: marks as the model spells them, without marks that it lacks."""
    spelt = {**header.spelt, **({"bos": "<s>"} if "bos" in header.specials else {})}
    parts = [spelt.get(part.special, part.text) for part in prompt.parts]
    return "".join(parts).replace("▁<", " <")


FAMILIES = {
    "Qwen2.5 Coder 7B": (
        ["<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|file_sep|>"],
        "gpt2",
        f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>",
    ),
    "starcoder2-3b": (
        ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<file_sep>"],
        "gpt2",
        f"<fim_prefix>{PREFIX}<fim_suffix>{SUFFIX}<fim_middle>",
    ),
    "granite-3b-code-base": (
        ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<reponame>"],
        "gpt2",
        f"<fim_prefix>{PREFIX}<fim_suffix>{SUFFIX}<fim_middle>",
    ),
    # Source: JetBrains' model card: file name, suffix, prefix.
    "Mellum 4b Sft Python": (
        ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<filename>"],
        "gpt2",
        f"<filename>add.py\n<fim_suffix>{SUFFIX}<fim_prefix>{PREFIX}<fim_middle>",
    ),
    # Source: the fill-in of Zed (fim.rs) and of llama.cpp for GLM's base models.
    "GLM-4.7-Flash": (
        ["<|endoftext|>", "<|code_prefix|>", "<|code_middle|>", "<|code_suffix|>"],
        "gpt2",
        f"<|code_prefix|>{PREFIX}<|code_suffix|>{SUFFIX}<|code_middle|>",
    ),
    # Source: Continue's template for CodeGeeX.
    "codegeex4-all-9b": (
        ["<|endoftext|>", "<|code_prefix|>", "<|code_middle|>", "<|code_suffix|>"],
        "gpt2",
        f"<|code_suffix|>{SUFFIX}<|code_prefix|>{PREFIX}<|code_middle|>",
    ),
    # Source: llama.cpp's list of marks, with this family's.
    "Falcon H1 Tiny Coder 90M": (
        ["<|endoftext|>", "<|prefix|>", "<|middle|>", "<|suffix|>"],
        "gpt2",
        f"<|prefix|>{PREFIX}<|suffix|>{SUFFIX}<|middle|>",
    ),
    # Source: Continue's template for Granite 4, which has Qwen's marks.
    "Granite 4.0 Micro Base": (
        ["<|end_of_text|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"],
        "gpt2",
        f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>",
    ),
    "Qwen3.5 2B Base": (
        ["<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|file_sep|>"],
        "gpt2",
        f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>",
    ),
    "santacoder": (
        ["<|endoftext|>", "<fim-prefix>", "<fim-middle>", "<fim-suffix>"],
        "gpt2",
        f"<fim-prefix>{PREFIX}<fim-suffix>{SUFFIX}<fim-middle>",
    ),
    "deepseek-coder-6.7b-base": (
        ["<｜begin▁of▁sentence｜>", "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"],
        "gpt2",
        f"<｜fim▁begin｜>{PREFIX}<｜fim▁hole｜>{SUFFIX}<｜fim▁end｜>",
    ),
    "codegemma-2b": (
        ["<s>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|file_separator|>"],
        "llama",
        f"<s><|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>",
    ),
    "CodeLlama": (
        ["<s>", "▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"],
        "llama",
        f"<s> <PRE> {PREFIX} <SUF>{SUFFIX} <MID>",
    ),
    "Codestral-22B-v0.1": (
        ["<s>", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"],
        "llama",
        f"<s>[SUFFIX]{SUFFIX}[PREFIX] {PREFIX}",
    ),
    "Seed-Coder-8B-Base": (
        ["<s>", "<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>"],
        "gpt2",
        f"<[fim-suffix]>{SUFFIX}<[fim-prefix]>{PREFIX}<[fim-middle]>",
    ),
    "Mistral-7B-v0.1": (["<s>"], "llama", f"<s>{SUFFIX}\n\n{PREFIX}"),
    "Mistral-7B-v0.3": (
        ["<s>", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"],
        "llama",
        f"<s>{SUFFIX}\n\n{PREFIX}",
    ),
    "Mistral-7B-Instruct-v0.1": (
        ["<s>"],
        "llama",
        f"<s> [INST]{INSTRUCTION}{SUFFIX} [/INST] {PREFIX}",
    ),
    "Mistral-7B-Instruct-v0.3": (
        ["<s>", "[INST]", "[/INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"],
        "llama",
        f"<s>[INST]{INSTRUCTION}{SUFFIX}[/INST] {PREFIX}",
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_asked_as_it_was_taught(tmp_path: Path, name: str) -> None:
    pieces, vocabulary, published = FAMILIES[name]
    header = header_of(tmp_path, name, pieces, vocabulary)
    assert written(asked(registry.form(header)), header) == published


@pytest.mark.parametrize("name", FAMILIES)
def test_a_server_is_asked_the_same_by_the_name_of_its_model(tmp_path: Path, name: str) -> None:
    pieces, vocabulary, _ = FAMILIES[name]
    header = header_of(tmp_path, name, pieces, vocabulary)
    spelt = spelt_in(name)
    if spelt:  # else the server adds the marks itself
        assert form_of(spelt, name) == registry.form(header)
        assert {mark: header.spelt[mark] for mark in spelt if mark in header.spelt} == {
            mark: spelling for mark, spelling in spelt.items() if mark in header.spelt
        }
        assert {"fim_prefix", "fim_suffix", "fim_middle"} <= spelt.keys()


def test_a_file_without_a_name_in_its_header_is_known_by_its_own(tmp_path: Path) -> None:
    pieces, vocabulary, _ = FAMILIES["Mellum 4b Sft Python"]
    header = header_of(tmp_path, "", pieces, vocabulary)
    assert registry.form(header, "mellum-4b-sft-python.Q5_K_M.gguf") == "suffix-first"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sweep-next-edit-1.5B", "next edits"),
        ("zeta-2.1", "next edits"),
        ("Mistral-7B-v0.3", "no fill-in marks"),
        ("Qwen2.5 Coder 7B", ""),
    ],
)
def test_a_model_that_fills_in_badly_is_told(name: str, said: str) -> None:
    form = "plain" if name.startswith("Mistral") else "prefix-first"
    assert said in warning(form, name) and bool(warning(form, name)) is bool(said)


FIRST, THIRD = "tokenizer.model.v1", "mistral_instruct_tokenizer_240323.model.v3"


class SentencePiece:
    """A backend that only tokenises, with one of Mistral's vocabularies."""

    def __init__(self, name: str = THIRD) -> None:
        model = resources.files("mistral_common") / "data" / name
        self._model = sentencepiece.SentencePieceProcessor(model_proto=model.read_bytes())

    def tokenize(self, raw: bytes) -> list[int]:
        # A byte that no longer piece contains, so that no space is put in front of the text.
        return self._model.encode("\1" + raw.decode())[2:]

    def token_bytes(self, token: int) -> bytes:
        if self._model.is_byte(token):
            return bytes([int(self._model.id_to_piece(token)[1:-1], 16)])
        return self._model.id_to_piece(token).replace("▁", " ").encode()

    def vocabulary_size(self) -> int:
        return self._model.vocab_size()


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [(PREFIX, SUFFIX), ("x = é🦀", "\n\ty"), ("    ", "\n"), ("\n\n  return", ""), ("a", " b  c")],
)
def test_codestral_is_asked_as_mistral_common_does(prefix: str, suffix: str) -> None:
    reference = MistralTokenizer.v3().encode_fim(FIMRequest(prompt=prefix, suffix=suffix))
    specials = {"bos": 1, "fim_suffix": 13, "fim_prefix": 11}
    tokenizer = Tokenizer(SentencePiece(), specials, heals=False)
    ids = tokenizer.prompt(asked("codestral", prefix, suffix)).ids
    assert ids == reference.tokens


@pytest.mark.parametrize(
    ("vocabulary", "reference", "specials"),
    [
        (FIRST, MistralTokenizer.v1, {"bos": 1}),
        (THIRD, MistralTokenizer.v3, {"bos": 1, "inst": 3, "inst_end": 4}),
    ],
)
@pytest.mark.parametrize(
    ("prefix", "suffix"), [("def add(a, b):", SUFFIX), ("x = é🦀", "\n\ty\n"), ("  return", "\n")]
)
def test_instructed_models_are_told_as_mistral_common_does(
    vocabulary, reference, specials, prefix: str, suffix: str
) -> None:
    told = UserMessage(content=INSTRUCTION[1:] + suffix)
    begun = AssistantMessage(content=prefix, prefix=True)
    expected = reference().encode_chat_completion(ChatCompletionRequest(messages=[told, begun]))
    tokenizer = Tokenizer(SentencePiece(vocabulary), specials, heals=False)
    ids = tokenizer.prompt(asked("instructed", prefix, suffix)).ids
    assert ids == expected.tokens


def test_excerpts_of_other_files_stand_behind_the_mark_between_files(tmp_path: Path) -> None:
    pieces, vocabulary, published = FAMILIES["Qwen2.5 Coder 7B"]
    header = header_of(tmp_path, "Qwen", pieces, vocabulary)
    prompt = asked("prefix-first", related=(Excerpt("b.py", "class B:"),))
    assert written(prompt, header) == f"<|file_sep|>b.py\nclass B:\n{published}"
