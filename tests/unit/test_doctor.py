"""The measurements, recommendations and advice of the command `doctor`."""

from __future__ import annotations

import asyncio
import sys

import pytest

from mistral_lsp.commands import doctor
from mistral_lsp.config import Settings
from mistral_lsp.inference.backends import llama_device
from mistral_lsp.inference.backends.llama_device import Device
from mistral_lsp.models.recommend import RULE
from mistral_lsp.models.registry import EMBEDDED
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


CARD = Device("RTX", True, 11.8, 8_000.0, 330.0)
PROCESSOR = Device("EPYC", False, 0.0, 160.0, 40.0)


def suited(speed: tuple[float, float], free: float, device: Device | None) -> str:
    names = ("reading_tokens_per_second", "writing_tokens_per_second")
    found = doctor.suit(Settings(), dict(zip(names, speed)), free, device)
    assert found["why_recommended"] == RULE
    return found["recommended_model"]


def test_a_small_models_speed_is_not_taken_for_that_of_a_large_one() -> None:
    assert suited((20_000, 500), 60, None) == "mellum-4b-base:Q4_K_M"
    assert suited((20_000, 500), 60, CARD) == "qwen2.5-coder-7b:Q4_0"
    assert suited((500, 110), 4, None) == "qwen2.5-coder-0.5b:Q4_0"
    assert suited((500, 110), 4, PROCESSOR) == "qwen2.5-coder-1.5b:Q4_K_M"


def test_what_computes_on_a_gpu_has_to_fit_into_its_memory() -> None:
    small = Device("GTX", True, 4.0, 8_000.0, 330.0)
    assert suited((20_000, 500), 60, small) == "qwen2.5-coder-1.5b:Q8_0"


def test_a_large_models_own_speed_counts(monkeypatch, tmp_path) -> None:
    model = tmp_path / "large.gguf"
    with model.open("wb") as file:
        file.truncate(5_440_000_000)
    monkeypatch.setattr(doctor.store, "locate", lambda _: model)
    assert suited((2_000, 65), 60, CARD) == "qwen2.5-coder-7b:Q5_K_M"
    loaded = Device("RTX", True, 0.5, 8_000.0, 330.0)
    assert suited((2_000, 40), 60, loaded) == "qwen2.5-coder-7b:Q4_0", "its memory gets free"


def advice(name=EMBEDDED, writing=90.0, wanted=EMBEDDED, device=None, **settings) -> str:
    model = LoadedModel("llama_cpp", name, "suffix-first", 4096, 384, 960)
    speed = {"writing_tokens_per_second": writing}
    suited = {"recommended_model": wanted}
    return " ".join(doctor.advise(model, Settings(**settings), speed, suited, device))


def test_advice(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "installed", lambda: ["llama_cpp"])
    monkeypatch.setattr(doctor.processor, "gpus", list)
    assert advice() == ""
    assert "models pull qwen2.5-coder-7b:Q4_0" in advice(wanted="qwen2.5-coder-7b:Q4_0")
    assert advice(wanted="codellama-7b:Q5_K_M", model="codellama-7b") == ""
    assert "models use codellama-7b:Q4_0" in advice(
        wanted="codellama-7b:Q4_0", model="codellama-7b"
    )
    assert advice("other", model=EMBEDDED) == ""
    assert "smaller model, or a server" in advice(writing=3.0)
    monkeypatch.setattr(doctor.processor, "gpus", lambda: ["NVIDIA H100, 81559 MiB"])
    assert "CMAKE_ARGS=-DGGML_CUDA=on" in advice(device=PROCESSOR)
    assert advice(device=CARD) == advice() == advice(device=PROCESSOR, gpu_layers=0) == ""
    monkeypatch.setattr(doctor, "installed", lambda: ["ctransformers"])
    monkeypatch.setattr(doctor.processor, "has_compiler", lambda: False)
    assert "mistral-lsp[fast]" in advice() and "Install a C compiler" in advice()
    for settings in ({"engine": "http"}, {"http_url": "https://models.example.com"}):
        assert advice(**settings, wanted=None) == ""


def test_a_gpus_memory_is_described() -> None:
    assert doctor.describe(CARD) == {
        "device": "RTX",
        "device_gigabytes_per_second": 330.0,
        "free_gpu_memory_gb": 11.8,
    }
    assert "free_gpu_memory_gb" not in doctor.describe(PROCESSOR)


async def test_another_engines_device_is_not_measured(monkeypatch) -> None:
    monkeypatch.setattr(llama_device, "measure", lambda *_: CARD)
    model = LoadedModel("ctransformers", EMBEDDED, "suffix-first", 4096, 384, 960)
    assert await doctor.measure_device(model, Settings()) is None
    model = LoadedModel("llama_cpp", EMBEDDED, "suffix-first", 4096, 384, 960)
    assert await doctor.measure_device(model, Settings()) == CARD


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_a_device_that_can_not_be_measured_is_none(monkeypatch, seconds) -> None:
    """Whether it takes too long, or the process fails."""
    monkeypatch.setattr(llama_device, "LONGEST_SECONDS", seconds)
    monkeypatch.setattr(llama_device.sys, "executable", "/bin/false" if seconds else sys.executable)
    assert llama_device.measure(1, 0) is None


@pytest.mark.parametrize(
    ("kinds", "gpus"), [([1, 0, 1], [1, 3]), ([0, 2], [2]), ([2, 1], [2]), ([0, 3], [])]
)
def test_the_gpus_that_llama_cpp_uses_are_measured(kinds, gpus) -> None:
    """The kinds are those of ggml: the processor, a GPU, an integrated GPU, an accelerator."""

    def ggml(name: str, *arguments, result=None):
        if name == "backend_dev_count":
            return len(kinds)
        device = arguments[0].value
        return device + 1 if name == "backend_dev_get" else kinds[device - 1]

    assert [gpu.value for gpu in llama_device._gpus(ggml)] == gpus


def test_the_machine_is_described() -> None:
    assert isinstance(doctor.processor.processor(), str)
    features = doctor.processor.processor_features()
    assert features == [name for name in doctor.processor.TELLING_FEATURES if name in features]
