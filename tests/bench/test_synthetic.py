"""Models with random weights: llama.cpp and ctransformers load them; tokens and size are right."""

from __future__ import annotations

import hashlib
import math

import gguf as reference
import numpy
import pytest

from bench import cost, synthetic
from bench.synthetic import MIXES, SHAPES, Kind
from mistral_lsp.inference.backends.ctransformers import CTransformers
from mistral_lsp.inference.backends.llama_cpp import LlamaCpp
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models import gguf

TEXTS = (
    "hello",
    "def add(a, b):\n    return a + b\n",
    "    four spaces, a\ttab,\r\n\n\nand lines  \n",
    "日本語の注釈🦀 café",
    "<s>[PREFIX]<PRE></s>",
    " ",
    "\n",
)
# The files of TheBloke/Mistral-7B-v0.1-GGUF, which llama.cpp made.
REAL_SIZES = {"Q4_0": 4_108_916_352, "Q5_K_M": 5_131_409_024, "Q8_0": 7_695_857_280}


def write(folder, mix, seed=0):
    path = folder / f"{mix}-{seed}.gguf"
    synthetic.write(path, SHAPES["toy"], MIXES[mix], seed)
    return path


@pytest.fixture(scope="module", params=MIXES)
def toy(request, tmp_path_factory):
    return write(tmp_path_factory.mktemp("toy"), request.param)


def test_both_engines_load_it_and_agree(toy) -> None:
    pieces = synthetic.tokenizer()
    logits = []
    for kind in (LlamaCpp, CTransformers):
        backend = kind(toy, 512, 1, 0)
        assert backend.vocabulary_size() == 32_000
        for text in TEXTS:
            ids = backend.tokenize(text.encode())
            # As mistral-common does it: the space in front and the mark are a piece each.
            assert ids == pieces.encode("☺" + text)[2:], (backend.name, text)
            assert b"".join(map(backend.token_bytes, ids)) == text.encode()
        logits.append(backend.eval([1, *backend.tokenize(TEXTS[1].encode())], 0).copy())
    assert numpy.isfinite(logits).all()
    assert numpy.corrcoef(logits)[0, 1] > 0.99
    assert 0.3 < logits[0].std() < 3


def test_what_it_costs_is_measured(toy) -> None:
    found = cost.measure(toy, "llama_cpp", 1)
    assert found["reading"] > 0 and found["writing"] > 0
    assert 0 < found["first_token_ms"]["p50"] <= found["first_token_ms"]["p95"]
    assert found["resident_gb"] > found["gigabytes"]


def test_the_header_says_what_it_is(toy) -> None:
    header = gguf.read_header(toy)
    assert (header.name, header.architecture) == ("toy-shape-random", "llama")
    assert (header.context_length, header.sliding_window) == (32768, 4096)
    assert header.specials == {"bos": 1, "eos": 2}
    assert header.controls == {0, 1, 2}, "unknown, begin and end: no text of any kind"


def test_weights_are_centred_and_of_the_wanted_size(toy) -> None:
    for tensor in reference.GGUFReader(toy).tensors:
        weights = reference.dequantize(tensor.data, tensor.tensor_type)
        if tensor.tensor_type != Kind.F32:
            spread = weights.std() * math.sqrt(weights.shape[-1])
            assert spread == pytest.approx(1, rel=0.05), tensor.name
            assert abs(weights.mean()) < 0.05 * weights.std(), tensor.name


def test_a_seed_makes_one_file(tmp_path) -> None:
    def digest(seed):
        return hashlib.sha256(write(tmp_path, "Q5_K_M", seed).read_bytes()).hexdigest()

    first = digest(0)
    assert digest(0) == first != digest(1)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("mix", MIXES)
def test_size_is_that_of_the_real_model(mix) -> None:
    shape = SHAPES["mistral-7b"]
    header = REAL_SIZES[mix] - synthetic.weights_size(shape, MIXES[mix])
    assert 700_000 < header < synthetic.HEADER_BYTES
    layers = [layer for layer in range(32) if synthetic.takes_more_bits(layer, 32)]
    assert layers == [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]


def test_a_full_disk_is_named_before_anything_is_written(tmp_path, monkeypatch, capsys) -> None:
    usage = synthetic.shutil.disk_usage(tmp_path)._replace(free=1_000_000_000)
    monkeypatch.setattr(synthetic.shutil, "disk_usage", lambda folder: usage)
    monkeypatch.setattr("sys.argv", ["synthetic", str(tmp_path / "model.gguf")])
    with pytest.raises(SystemExit):
        synthetic.main()
    assert "1.0 GB free and the file takes 5.1 GB" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", [LlamaCpp, CTransformers])
def test_chunks_of_mistrals_vocabulary_give_the_tokens_of_the_whole(engine, toy) -> None:
    backend = engine(toy, 512, 1, 0)
    tokenizer = Tokenizer(backend, {})
    assert tokenizer._cut
    text = "if (x) {\r\n\tcall(a); \r\n\n\n  // 🦀 ; \n}\r\r\n;\n" * 3
    assert tokenizer.text(text) == backend.tokenize(text.encode())
