"""A text's tokens equal those of its chunks, in every kind of BPE vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mistral_lsp.inference.tokenizer import Tokenizer
from tests.support.vocabulary import SPLITS, VocabularyOnly, write_vocabulary

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".ts", ".lua", ".el", ".json", ".md", ".toml", ".yaml", ".css", ".vim"}
FILES = sorted(
    path
    for folder in ("mistral_lsp", "editors", "bench/data/truth", "tests/fixtures")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in SUFFIXES and "node_modules" not in path.parts
)
WORDS = [*"x1_(){};:,.'\"/*+-=<>#@!\\é𝔸日🦀\u0301\t", "self", "def ", "//", "/*", "'s", " 12345"]
LINE_ENDS = ["\n", "\n\n", " \n", "  \n    ", "\n\t", "\n \n", "\n\n\n  ", "\r\n", "\u2028"]
PIECES = st.sampled_from([*WORDS, *WORDS, *LINE_ENDS, "\n/", "\n//", " ", "    "])
TEXTS = st.lists(PIECES, max_size=60).map("".join)
HARD = ");\n\n    }\n;\n  x\n/ \n// a\n\t\n,\n12\n\n" * 20


def content(path: Path) -> str:
    return path.read_text("utf-8", "replace")


@pytest.fixture(scope="module", params=SPLITS)
def tokenizer(request, tmp_path_factory) -> Tokenizer:
    path = tmp_path_factory.mktemp("vocabulary") / f"{request.param}.gguf"
    write_vocabulary(path, request.param, (*map(content, FILES[::4]), HARD))
    return Tokenizer(VocabularyOnly(path), {})


def test_files_have_the_tokens_of_their_chunks(tokenizer) -> None:
    assert len(FILES) > 200
    characters = chunks = 0
    for path in FILES[::7]:
        text = content(path)
        assert tokenizer.text(text) == tokenizer.backend.tokenize(text.encode()), path
        characters, chunks = characters + len(text), chunks + len(tokenizer.chunks(text))
    assert characters / chunks < 60, "about a line each"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXTS)
def test_so_has_any_text(tokenizer, text) -> None:
    assert tokenizer.text(text) == tokenizer.backend.tokenize(text.encode())
