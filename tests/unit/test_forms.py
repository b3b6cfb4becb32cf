"""Prompts match every model family's fill-in form, byte by byte."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
import sentencepiece
from mistral_common.protocol.fim.request import FIMRequest
from mistral_common.protocol.instruct.messages import AssistantMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from mistral_lsp.inference.assembly import suffix_places
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models import registry, store
from mistral_lsp.models.gguf import read_header
from mistral_lsp.models.marks import form_of, spelt_in, warning
from mistral_lsp.prompt.build import INSTRUCTION
from mistral_lsp.types import Excerpt
from tests.support.forms import PREFIX, SUFFIX, asked, header_of, written

BARS = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"]
ANGLES = ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]
SEED = ["<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>"]
INST = ["[INST]", "[/INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"]
DEEPSEEK = ["<｜begin▁of▁sentence｜>", "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"]
QWEN = ["<|endoftext|>", *BARS, "<|repo_name|>", "<|file_sep|>"]

BARRED = f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>"
ANGLED = f"<fim_prefix>{PREFIX}<fim_suffix>{SUFFIX}<fim_middle>"
HELD = f"<｜fim▁begin｜>{PREFIX}<｜fim▁hole｜>{SUFFIX}<｜fim▁end｜>"
SEEDED = f"<[fim-suffix]>{SUFFIX}<[fim-prefix]>{PREFIX}<[fim-middle]>"
MELLUM = f"<filename>add.py\n<fim_suffix>{SUFFIX}<fim_prefix>{PREFIX}<fim_middle>"

FAMILIES = {
    # Source: the section on fill-in of the README of QwenLM/Qwen2.5-Coder, and of Qwen3-Coder.
    "Qwen2.5 Coder 7B": (QWEN, "gpt2", BARRED),
    "Qwen3 Coder 30B A3B Instruct": (QWEN, "gpt2", BARRED),
    # Source: users' reports in issue 55 of llama.vscode.
    "Qwen3.5 2B Base": (QWEN, "gpt2", BARRED),
    # Source: the base model, Qwen2.5-Coder. Fill-in is not what it is for: see its warning below.
    "sweep-next-edit-1.5B": (QWEN, "gpt2", BARRED),
    # Source: Continue's template for Granite 4, which has Qwen's marks.
    "Granite 4.0 Micro Base": (["<|end_of_text|>", *BARS], "gpt2", BARRED),
    # Source: the model's card, and the ids in llama.cpp's conversion of Gemma.
    "codegemma-2b": (["<s>", *BARS, "<|file_separator|>"], "llama", f"<s>{BARRED}"),
    # Source: BigCode's model cards, and Continue's template for StarCoder, which it also uses for
    # StableCode, Refact and Granite's code models.
    "starcoder2-3b": (["<|endoftext|>", *ANGLES, "<file_sep>"], "gpt2", ANGLED),
    "starcoderbase-1b": (["<|endoftext|>", *ANGLES, "<filename>", "<reponame>"], "gpt2", ANGLED),
    "stable-code-3b": (["<|endoftext|>", *ANGLES, "<file_sep>"], "gpt2", ANGLED),
    "Refact-1_6B-fim": (["<|endoftext|>", *ANGLES], "gpt2", ANGLED),
    "granite-3b-code-base": (["<|endoftext|>", *ANGLES, "<reponame>"], "gpt2", ANGLED),
    "granite-3.1-2b-base": (["<|end_of_text|>", *ANGLES, "<filename>"], "gpt2", ANGLED),
    # Source: JetBrains' model card: file name, suffix, prefix.
    "Mellum 4b Sft Python": (["<|endoftext|>", *ANGLES, "<filename>"], "gpt2", MELLUM),
    "Mellum2 12B A2.5B Base": (["<|endoftext|>", *ANGLES, "<filename>"], "gpt2", MELLUM),
    # Source: BigCode's evaluation harness.
    "santacoder": (
        ["<|endoftext|>", "<fim-prefix>", "<fim-middle>", "<fim-suffix>"],
        "gpt2",
        f"<fim-prefix>{PREFIX}<fim-suffix>{SUFFIX}<fim-middle>",
    ),
    # Source: the README of deepseek-ai/DeepSeek-Coder, and of DeepSeek-Coder-V2.
    "deepseek-coder-6.7b-base": (DEEPSEEK, "gpt2", HELD),
    "DeepSeek-Coder-V2-Lite-Base": (DEEPSEEK, "gpt2", HELD),
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
    # Source: Meta's own code: generation.py and tokenizer.py in meta-llama/codellama.
    "CodeLlama": (
        ["<s>", "▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"],
        "llama",
        f"<s> <PRE> {PREFIX} <SUF>{SUFFIX} <MID>",
    ),
    # Source: the README of aixcoder-plugin/aiXcoder-7B, its order "SPM".
    "aiXcoder-7b-base": (
        ["<s>", "▁<AIX-SPAN-PRE>", "▁<AIX-SPAN-POST>", "▁<AIX-SPAN-MIDDLE>"],
        "llama",
        f"<s> <AIX-SPAN-PRE> <AIX-SPAN-POST>{SUFFIX} <AIX-SPAN-MIDDLE>{PREFIX}",
    ),
    # Source: mistral-common, which is asked below.
    "Codestral-22B-v0.1": (
        ["<s>", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"],
        "llama",
        f"<s>[SUFFIX]{SUFFIX}[PREFIX] {PREFIX}",
    ),
    # Source: issue 17900 of llama.cpp, and Zed's prompts for zeta 2, made of it.
    "Seed-Coder-8B-Base": (["<s>", *SEED], "gpt2", SEEDED),
    "zeta-2.1": (["<s>", *SEED], "gpt2", SEEDED),
    # Source: SAFIM's prompts for models without marks (model_utils.py).
    "Mistral-7B-v0.1": (["<s>"], "llama", f"<s>{SUFFIX}\n\n{PREFIX}"),
    "Mistral-7B-v0.3": (["<s>", *INST[2:]], "llama", f"<s>{SUFFIX}\n\n{PREFIX}"),
    # These have marks of files, but none of fill-in.
    "SmolLM2 360M": (
        ["<|endoftext|>", "<repo_name>", "<reponame>", "<file_sep>", "<filename>"],
        "gpt2",
        f"{SUFFIX}\n\n{PREFIX}",
    ),
    # Source: mistral-common, which is asked below.
    "Mistral-7B-Instruct-v0.1": (
        ["<s>"],
        "llama",
        f"<s> [INST] {INSTRUCTION}{SUFFIX} [/INST] {PREFIX}",
    ),
    "Mistral-7B-Instruct-v0.3": (
        ["<s>", *INST],
        "llama",
        f"<s>[INST] {INSTRUCTION}{SUFFIX}[/INST] {PREFIX}",
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


KNOWN = {
    "mistral-7b-v0.1": "Mistral-7B-v0.1",
    "mistral-7b-instruct-v0.1": "Mistral-7B-Instruct-v0.1",
    "mistral-7b-instruct-v0.2": "Mistral-7B-Instruct-v0.1",
    "mistral-7b-v0.3": "Mistral-7B-v0.3",
    "mistral-7b-instruct-v0.3": "Mistral-7B-Instruct-v0.3",
    "codestral-22b-v0.1": "Codestral-22B-v0.1",
    **{f"qwen2.5-coder-{size}b": "Qwen2.5 Coder 7B" for size in ("0.5", "1.5", "3", "7", "14")},
    "qwen3-coder-30b-a3b-instruct": "Qwen3 Coder 30B A3B Instruct",
    "qwen3-coder-next": "Qwen3 Coder 30B A3B Instruct",
    **{f"qwen3.5-{size}b-base": "Qwen3.5 2B Base" for size in ("0.8", "2", "4")},
    "starcoder2-3b": "starcoder2-3b",
    "starcoder2-7b": "starcoder2-3b",
    "deepseek-coder-1.3b": "deepseek-coder-6.7b-base",
    "deepseek-coder-6.7b": "deepseek-coder-6.7b-base",
    "deepseek-coder-v2-lite-base": "DeepSeek-Coder-V2-Lite-Base",
    "codellama-7b": "CodeLlama",
    "codegemma-2b": "codegemma-2b",
    "codegemma-7b": "codegemma-2b",
    "granite-code-3b": "granite-3b-code-base",
    "granite-code-8b": "granite-3b-code-base",
    **{f"granite-4.0-{size}-base": "Granite 4.0 Micro Base" for size in ("350m", "1b", "micro")},
    **{f"mellum-4b-{kind}": "Mellum 4b Sft Python" for kind in ("sft-all", "base", "dpo-all")},
    "mellum-4b-sft-python": "Mellum 4b Sft Python",
    "mellum2-12b-a2.5b-base": "Mellum2 12B A2.5B Base",
    "seed-coder-8b-base": "Seed-Coder-8B-Base",
    "stable-code-3b": "stable-code-3b",
    "aixcoder-7b": "aiXcoder-7b-base",
    "refact-1.6b-fim": "Refact-1_6B-fim",
    "sweep-next-edit-0.5b": "sweep-next-edit-1.5B",
    "sweep-next-edit-1.5b": "sweep-next-edit-1.5B",
}
"""The family of each known model that can be downloaded."""


@pytest.mark.parametrize("model", sorted({entry.model for entry in registry.entries().values()}))
def test_every_known_model_is_listed_with_its_familys_form(tmp_path: Path, model: str) -> None:
    if model == registry.EMBEDDED:
        header = read_header(store.locate(""))
    else:
        pieces, vocabulary, _ = FAMILIES[KNOWN[model]]
        header = header_of(tmp_path, model, pieces, vocabulary)
    assert registry.entries()[model].form == registry.form(header)


@pytest.mark.parametrize("name", ["Yi-Coder-9B", "OpenCoder-8B-Base", "granite-4.2-3b"])
def test_a_model_not_known_to_be_taught_its_marks_gets_plain_text(tmp_path: Path, name) -> None:
    header = header_of(tmp_path, name, ["<|endoftext|>", *ANGLES], "gpt2")
    form = registry.form(header)
    assert form == "plain" and "taught no fill-in marks" in warning(form, name)


def test_a_file_without_a_name_in_its_header_is_known_by_its_own(tmp_path: Path) -> None:
    pieces, vocabulary, _ = FAMILIES["Mellum 4b Sft Python"]
    header = header_of(tmp_path, "", pieces, vocabulary)
    assert registry.form(header, "mellum-4b-sft-python.Q5_K_M.gguf") == "suffix-first"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sweep-next-edit-1.5B", "next edits"),
        ("zeta-2.1", "next edits"),
        ("Mistral-7B-v0.3", "no fill-in marks, so it gets plain text"),
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
    told = UserMessage(content=INSTRUCTION + suffix)
    begun = AssistantMessage(content=prefix, prefix=True)
    expected = reference().encode_chat_completion(ChatCompletionRequest(messages=[told, begun]))
    tokenizer = Tokenizer(SentencePiece(vocabulary), specials, heals=False)
    ids = tokenizer.prompt(asked("instructed", prefix, suffix)).ids
    assert ids == expected.tokens


OTHERS = (Excerpt("b.py", "class B:"), Excerpt("src/c.py", "class C:\n    x = 1"))


# Source: Qwen's own example of a completion from several files of a project,
# examples/Qwen2.5-Coder-repolevel-fim.py in QwenLM/Qwen2.5-Coder.
@pytest.mark.parametrize(
    ("related", "folder", "published"),
    [
        (
            OTHERS,
            "/home/me/sums",
            "<|repo_name|>sums\n"
            "<|file_sep|>b.py\nclass B:\n"
            "<|file_sep|>src/c.py\nclass C:\n    x = 1\n"
            f"<|file_sep|>add.py\n{BARRED}",
        ),
        (
            OTHERS[:1],
            "",
            f"<|file_sep|>b.py\nclass B:\n<|file_sep|>add.py\n{BARRED}",
        ),
        ((), "/home/me/sums", BARRED),
    ],
    ids=["a project", "files of no project", "one file"],
)
def test_qwen_is_asked_for_files_of_a_project_as_it_was_taught(
    tmp_path: Path, related, folder: str, published: str
) -> None:
    header = header_of(tmp_path, "Qwen2.5 Coder 7B", QWEN, "gpt2")
    form = registry.form(header)
    assert form == "repository" and not warning(form, header.name)
    assert written(asked(form, related=related, folder=folder), header) == published


def test_what_changes_least_comes_first_in_a_project() -> None:
    """The suffix is last and behind the prefix, as the moving of a suffix needs it."""
    prompt = asked("repository", related=OTHERS)
    labels = [part.special or part.label for part in prompt.parts]
    assert labels == [
        *("bos", "repo_name", "repository", "file_sep", "related", "file_sep", "related"),
        *("file_sep", "path", "fim_prefix", "prefix", "fim_suffix", "suffix", "fim_middle"),
    ]
    places = suffix_places(prompt.parts, [1] * len(labels))
    assert [labels[place] for place in places] == ["fim_suffix", "suffix"]


def test_without_the_mark_of_projects_excerpts_stand_behind_that_of_files(tmp_path: Path) -> None:
    header = header_of(tmp_path, "Qwen", ["<|endoftext|>", *BARS, "<|file_sep|>"], "gpt2")
    assert registry.form(header) == "prefix-first"
    prompt = asked("prefix-first", related=OTHERS[:1])
    assert written(prompt, header) == f"<|file_sep|>b.py\nclass B:\n{BARRED}"


@pytest.mark.parametrize(
    "folder",
    [
        f"/home/me/{'x' * 61}",
        "/home/alice",
        "C:/Users/alice",
        "/home/me/" + "ghp_16C7e42F292c6912E7710c8383" + "47Ae178B4a",
        "/home/me/a\nb",
    ],
)
def test_a_projects_name_that_may_be_private_or_is_too_long_is_left_out(folder: str) -> None:
    prompt = asked("repository", related=OTHERS, folder=folder)
    assert "repository" not in [part.label for part in prompt.parts]
