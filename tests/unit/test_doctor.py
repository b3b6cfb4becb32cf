"""The measurements, recommendations and advice of the command `doctor`."""

from __future__ import annotations

import asyncio

import pytest

from mistral_lsp.commands import doctor
from mistral_lsp.config import Settings
from mistral_lsp.models.recommend import recommend
from mistral_lsp.models.registry import EMBEDDED, entries
from mistral_lsp.types import LoadedModel, Token, Usage


class Paced:
    """An engine that takes a given time to read a prompt and to write a token."""

    def __init__(self, reading_seconds: float, writing_seconds: float):
        self.reading_seconds = reading_seconds
        self.writing_seconds = writing_seconds
        self.usage = Usage()
        self.asked = []
        self.stopped = False

    def generate(self, prompt, decoding):
        self.asked.append((prompt, decoding.max_tokens))
        return self

    def stop(self) -> None:
        self.stopped = True

    async def __aiter__(self):

        self.usage = Usage(100, 0, 0)
        for evaluated in range(10, 101, 10):
            await asyncio.sleep(self.reading_seconds / 10)
            if self.stopped:
                return
            self.usage = Usage(100, evaluated, 0)
        for written in range(1, self.asked[-1][1] + 1):
            self.usage = Usage(100, 100, written)
            yield Token("x", 1.0)
            await asyncio.sleep(self.writing_seconds)
            if self.stopped:
                return


@pytest.mark.jumping_clock
async def test_speed_is_measured() -> None:
    found = await doctor.measure(Paced(0.5, 0.01))
    assert found["reading_tokens_per_second"] == pytest.approx(200, rel=0.2)
    assert found["writing_tokens_per_second"] == pytest.approx(100, rel=0.3)


@pytest.mark.jumping_clock
async def test_a_slow_machine_keeps_nobody_waiting() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    found = await doctor.measure(Paced(40.0, 1.0))
    assert loop.time() - begun < 1.5 * doctor.READING_SECONDS
    assert found["reading_tokens_per_second"] == pytest.approx(2.4, rel=0.3)
    assert found["writing_tokens_per_second"] is None


@pytest.mark.jumping_clock
async def test_writing_is_measured_however_long_reading_took() -> None:
    found = await doctor.measure(Paced(16.0, 0.5))
    assert found["reading_tokens_per_second"] == pytest.approx(6, rel=0.3)
    assert found["writing_tokens_per_second"] == pytest.approx(2, rel=0.3)


async def test_every_measurement_reads_something_new() -> None:
    engine = Paced(0.0, 0.0)
    await doctor.measure(engine)
    await doctor.measure(engine)
    assert engine.asked[0][0] != engine.asked[1][0]


@pytest.mark.parametrize(
    ("reading", "writing", "free", "expected"),
    [
        (400, 40, 16, ("small", EMBEDDED)),
        (5, 1, 16, ("small", EMBEDDED)),
        (400, 80, 1.3, ("small", EMBEDDED)),
        (1000, 150, 16, ("medium", "qwen2.5-coder-1.5b")),
        (1000, 60, 16, ("medium", "qwen2.5-coder-0.5b")),
        (1000, 150, 1.9, ("medium", "qwen2.5-coder-0.5b:Q8_0")),
        (2500, 400, 16, ("large", "granite-code-3b")),
        (50_000, 5_000, 80, ("workstation", "qwen2.5-coder-7b:Q8_0")),
    ],
)
def test_the_largest_model_that_is_quick_here(reading, writing, free, expected) -> None:
    assert recommend(0.1, reading, writing, free) == expected


def test_nothing_is_recommended_that_not_everybody_may_use() -> None:
    chosen = [entry for entry in entries().values() if entry.recommended]
    assert {entry.licence for entry in chosen} == {"apache-2.0"}


def advice(name=EMBEDDED, writing=90.0, wanted=EMBEDDED, **settings) -> str:
    model = LoadedModel("llama_cpp", name, "suffix-first", 4096, 384, 960)
    speed = {"writing_tokens_per_second": writing}
    suited = {"recommended_model": wanted}
    return " ".join(doctor.advise(model, Settings(**settings), speed, suited))


def test_advice(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "installed", lambda: ["llama_cpp"])
    monkeypatch.setattr(doctor.processor, "gpus", list)
    assert advice() == ""
    assert "models pull qwen2.5-coder-7b" in advice(wanted="qwen2.5-coder-7b")
    assert advice("other", model=EMBEDDED) == ""
    assert "smaller model, or a server" in advice(writing=3.0)
    monkeypatch.setattr(doctor.processor, "gpus", lambda: ["NVIDIA H100, 81559 MiB"])
    assert "CMAKE_ARGS=-DGGML_CUDA=on" in advice()
    assert advice(gpu_layers=0) == ""
    monkeypatch.setattr(doctor, "installed", lambda: ["ctransformers"])
    monkeypatch.setattr(doctor.processor, "has_compiler", lambda: False)
    assert "mistral-lsp[fast]" in advice() and "Install a C compiler" in advice()
    for settings in ({"engine": "http"}, {"http_url": "https://models.example.com"}):
        assert advice(**settings, wanted=None) == ""


def test_the_machine_is_described() -> None:
    assert isinstance(doctor.processor.processor(), str)
    features = doctor.processor.processor_features()
    assert features == [name for name in doctor.processor.TELLING_FEATURES if name in features]
