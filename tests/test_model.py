"""The embedded model in llama.cpp and ctransformers, also through the server and command line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local.client import EngineClient
from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.backends.ctransformers import CTransformers
from mistral_lsp.inference.backends.llama_cpp import LlamaCpp
from mistral_lsp.inference.decode import Decoder
from mistral_lsp.inference.sequence import Sequence as OneSequence
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models import gguf, registry, store
from mistral_lsp.types import Decoding, Part, Prompt
from tests.support.waiting import until

ENGINES = ("llama_cpp", "ctransformers")
ALONE = ("--threads", "1")  # threads wait for each other
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests" / "fixtures" / "sample.py"
"""A former version of one of our modules. It never changes, nor do the model's answers in it."""
BOOK = ROOT / "bench" / "data" / "truth" / "agenda" / "book.py"
ROUNDING = 1.0
"""Largest allowed difference of logits between two batch sizes, which round differently."""
TRIES = 50
"""Tries for a test whose result depends on the machine's momentary speed."""
STRANGE = (
    "🦀",
    "日本語の注釈🦀🦀",
    "e\u0301 cafe\u0301 \u200d👩\u200d💻",
    "a\u2028b\x0cc\u2029d",
    "  x  =\t1\r\n\r\n   ",
    "<|fim_middle|><s></s>",
    "\ud7ff\uffff\U0010ffff",
    "",
    " ",
    "\n",
    "▁ underscore of the vocabulary",
    "\x01\x02",
    "a" * 5000,
)


@pytest.fixture(scope="module", params=ENGINES)
def backend(request):
    kind = LlamaCpp if request.param == "llama_cpp" else CTransformers
    return kind(store.locate(""), 2048, 1, 0)  # threads wait for each other


@pytest.fixture(scope="module")
def header() -> gguf.Header:
    return gguf.read_header(store.locate(""))


@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
def test_any_text_survives_its_tokens(backend, text) -> None:
    ids = backend.tokenize(text.encode())
    written = b"".join(map(backend.token_bytes, ids)).decode()
    # In a SentencePiece vocabulary U+2581 and the space are the same piece.
    assert written == text.replace("▁", " ")
    assert not set(ids) & set(range(3, 9)), "text never becomes a mark"


def test_chunks_give_the_tokens_of_the_whole(backend, header) -> None:
    tokenizer = Tokenizer(backend, header.specials)
    assert tokenizer._cut
    for path in sorted((ROOT / "mistral_lsp").rglob("*.py")):
        text = path.read_text("utf-8")
        assert tokenizer.text(text) == backend.tokenize(text.encode())
    strange = "\n".join(f"{text} \n" for text in STRANGE)
    assert tokenizer.text(strange) == backend.tokenize(strange.encode())


class OneByOne:
    """A backend that evaluates its tokens one at a time, so that answers are bit-identical.

    Batches of different sizes round differently, which may decide between near ties.
    """

    def __init__(self, backend):
        self._backend = backend

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def eval(self, tokens, past):
        for place, token in enumerate(tokens):
            logits = self._backend.eval([token], past + place)
        return logits


def test_one_eval_gives_the_logits_after_each_token(backend) -> None:
    ids = backend.tokenize(SAMPLE.read_bytes())[:40]
    start, tokens = ids[:32], ids[32:]
    backend.eval(start, 0)
    if not backend.can_give_every:
        with pytest.raises(NotImplementedError):
            backend.eval(tokens, len(start), every=True)
        return
    together = backend.eval(tokens, len(start), every=True).copy()
    assert together.shape == (len(tokens), backend.vocabulary_size())
    backend.rewind(len(start))
    for place, token in enumerate(tokens):
        alone = backend.eval([token], len(start) + place)
        assert abs(together[place] - alone).max() < ROUNDING


def test_more_tokens_than_one_eval_takes_are_evaluated_in_several(backend) -> None:
    ids = (backend.tokenize(SAMPLE.read_bytes()) * 2)[: backend.largest_chunk + 8]
    sequence = OneSequence(backend)
    assert sequence.logits_behind(ids).shape == (backend.vocabulary_size(),)
    assert sequence.evaluated == len(ids)


def test_what_is_kept_of_the_cache_is_right(backend, header) -> None:
    """A prompt read at once and a prompt grown key by key get bit-identical answers."""
    text = SAMPLE.read_text("utf-8")
    place = text.index("return line, offset - self")
    sequence = OneSequence(OneByOne(backend))
    loop = Decoder(sequence, header.controls)
    for typed in (0, 3, 7, 12, 4):
        prefix = text[place - 240 : place + typed]
        prompt = [1, 4, *backend.tokenize(b"\n"), 3, *backend.tokenize(prefix.encode()), 5]
        warm = list(loop.generate(PromptTokens(prompt), 8, lambda: False))
        sequence._held.clear()
        backend.rewind(0)
        cold = list(loop.generate(PromptTokens(prompt), 8, lambda: False))
        assert warm == cold


def test_what_a_backend_read_before_is_forgotten(backend, header) -> None:
    """Tokens read before change no answer, such as those read at a first load to measure speed."""
    prompt = [1, *backend.tokenize(b"def add(a, b):\n    return")]
    backend.rewind(0)
    clean = list(
        Decoder(OneSequence(OneByOne(backend)), header.controls).generate(
            PromptTokens(prompt), 8, lambda: False
        )
    )
    backend.rewind(0)
    backend.eval(backend.tokenize(b"value = function(argument)\n" * 8), 0)
    loop = Decoder(OneSequence(OneByOne(backend)), header.controls)
    assert list(loop.generate(PromptTokens(prompt), 8, lambda: False)) == clean


@pytest.fixture(params=ENGINES)
def client(request, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    command = [sys.executable, "-m", "mistral_lsp", "--engine", request.param, "--window", "768"]
    started = Client(command)
    started.initialize({"deadlineMs": 60000})
    assert started.wait_until_ready()["engine"] == request.param
    yield started
    started.kill()


def test_a_line_is_completed_and_typing_is_cheap(client) -> None:
    uri = "file:///project/shapes.py"
    text = (
        "import math\n\n\nclass Circle:\n    def __init__(self, radius):\n"
        "        self.radius = radius\n\n    def area(self):\n        \n\n"
        "    def diameter(self):\n        return 2 * self.radius\n"
    )
    client.open(uri, text)
    [item] = client.items(client.ask(uri, 8, 8))
    assert "return" in item["insertText"] and "self.radius" in item["insertText"]
    evaluated = []
    for place, character in enumerate("answer = math.sqrt(self.radius)"):
        client.change(uri, place + 2, (8, 8 + place), (8, 8 + place), character)
        client.items(client.ask(uri, 8, 9 + place))
        evaluated.append(client.status()["last_request"]["evaluated_tokens"])
    assert sorted(evaluated)[len(evaluated) // 2] <= 3, evaluated
    assert sorted(evaluated)[int(len(evaluated) * 0.95)] <= 8, evaluated


def test_strange_text_around_the_cursor(client) -> None:
    for place, strange in enumerate(STRANGE[:5]):
        uri = f"file:///project/strange{place}.py"
        client.open(uri, f'name = "{strange}"\nprint(name, "{strange}"\nx = "{strange}"\n')
        client.items(client.ask(uri, 1, 11, kind=1))
        assert client.status()["state"] == "ready", strange


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_stop_is_heard_in_the_middle_of_a_prompt(engine) -> None:
    client = EngineClient(Load(engine, "", 2048, 0, 0))
    client.start()
    await client.ready()
    seconds, evaluated, whole = 0.1, 0, 0
    for number in range(TRIES):
        text = "".join(f"value_{number} = function_{line}(argument)\n" for line in range(130))
        [whole] = await client.count([text])
        generation = client.generate(Prompt("plain", (Part("suffix", text),)), Decoding(1))
        await asyncio.sleep(seconds)
        generation.stop()
        await until(lambda generation=generation: generation.finished, "the host is idle")
        evaluated = generation.usage.evaluated_tokens
        if 0 < evaluated < whole:
            break
        seconds *= 0.7 if evaluated else 1.5
    assert 0 < evaluated < whole
    assert len(client._metrics.cancel_to_idle_ms) >= 1
    await client.close()


def test_the_host_is_killed_while_it_answers(client) -> None:
    uri = "file:///project/main.py"
    client.open(uri, SAMPLE.read_text("utf-8"))
    asked = client.ask(uri, 40, 0, kind=1)
    os.kill(client.status()["host_pid"], signal.SIGKILL)
    assert client.items(asked) == []
    client.wait_until_ready()
    client.open(uri, "def add(a, b):\n    \n")
    assert client.items(client.ask(uri, 1, 4, kind=1))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mistral_lsp", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_complete_prints_one_object(engine) -> None:
    # Here the likeliest line can be shown. Elsewhere a second generation finds the prompt read.
    done = run("complete", f"{BOOK}:60:9", "--json", "--engine", engine)
    record = json.loads(done.stdout)
    assert set(record) == {
        "text",
        "range",
        "reason",
        "engine",
        "model",
        "form",
        "prompt_tokens",
        "evaluated_tokens",
        "generated_tokens",
        "first_token_ms",
        "total_ms",
        "cached",
    }
    assert (record["engine"], record["form"]) == (engine, "suffix-first")
    assert record["range"]["start"] == {"line": 60, "column": 9}
    assert record["evaluated_tokens"] >= record["prompt_tokens"] > 100


def test_explain_shows_the_parts_of_the_prompt() -> None:
    record = json.loads(run("explain", f"{SAMPLE}:60:1", "--json").stdout)
    labels = [part["label"] for part in record["parts"]]
    assert labels[:5] == ["bos", "file_sep", "path", "fim_suffix", "suffix"]
    assert record["tokens"] == sum(part["tokens"] for part in record["parts"])
    assert all(part["why"] for part in record["parts"] if part["text"])
    assert "prefix" in run("explain", f"{SAMPLE}:60:1").stdout


def test_doctor_names_the_engine_and_its_reason() -> None:
    record = json.loads(run("doctor", "--json", *ALONE).stdout)
    assert record["engine"] == "llama_cpp" and "fastest installed" in record["why_engine"]
    assert record["problems"] == []
    assert record["reading_tokens_per_second"] > 0 and record["writing_tokens_per_second"] > 0
    assert record["tier"] in ("small", "medium", "large", "workstation")
    assert registry.find(record["recommended_model"])
    assert ":" in record["recommended_model"] and record["why_recommended"].endswith(".")
    assert record["device"] and record["device_gigabytes_per_second"] > 0
    assert "All is well" in run("doctor", *ALONE).stdout
    assert run("doctor", "--model", "/none.gguf").returncode == 1


def test_the_demonstration_runs() -> None:
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("one keystroke later") == 3
