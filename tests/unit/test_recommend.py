"""The model and the quantisation that `doctor` recommends for a machine."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from mistral_lsp.models import recommend
from mistral_lsp.models.recommend import Speed, speed_by_both, speed_by_model
from mistral_lsp.models.registry import EMBEDDED, entries, find

MACHINES = msgspec.toml.decode((Path(__file__).parents[1] / "fixtures/machines.toml").read_bytes())
TOLERANCE = 0.25
TINY = f"{EMBEDDED}:Q5_0"


def speed_of(machine: dict) -> Speed:
    return speed_by_model(machine["gigabytes"], machine["reading"], machine["writing"])


@pytest.mark.parametrize("name", MACHINES)
def test_recorded_machines(name: str) -> None:
    machine = MACHINES[name]
    _, recommended = recommend.recommend(speed_of(machine), machine["free"])
    assert recommended == machine["recommended"]


@pytest.mark.parametrize("name", MACHINES)
def test_one_models_speed_tells_that_of_others(name: str) -> None:
    machine = MACHINES[name]
    for gigabytes, measured in machine.get("others", []):
        estimated = speed_of(machine).writing_rate(gigabytes)
        assert estimated == pytest.approx(measured, rel=TOLERANCE)


@pytest.mark.parametrize(
    ("reading", "writing", "free", "expected"),
    [
        (40, 4, 16, ("small", TINY)),
        (0.5, 0.1, 16, ("small", TINY)),
        (40, 8, 1.3, ("small", TINY)),
        (100, 15, 16, ("medium", "qwen2.5-coder-1.5b:Q4_K_M")),
        (100, 5, 16, ("medium", "qwen2.5-coder-0.5b:Q4_0")),
        (100, 15, 1.9, ("medium", "qwen2.5-coder-0.5b:Q4_0")),
        (1000, 100, 1.9, ("medium", "qwen2.5-coder-0.5b:Q8_0")),
        (250, 40, 16, ("large", "mellum-4b-base:Q4_K_M")),
        (350, 52, 16, ("large", "mellum-4b-sft-all:Q8_0")),
        (5000, 500, 6, ("workstation", "qwen2.5-coder-7b:Q4_0")),
        (5000, 500, 80, ("workstation", "qwen2.5-coder-7b:Q8_0")),
        (50_000, 5_000, 80, ("workstation", "qwen2.5-coder-7b:Q8_0")),
    ],
)
def test_the_rule(reading: float, writing: float, free: float, expected: tuple[str, str]) -> None:
    assert recommend.recommend(Speed(reading, writing), free) == expected


def test_a_small_models_speed_on_a_gpu_tells_only_the_overhead() -> None:
    """Alone it would have the 7 B model written at 12 tokens a second, not at 62."""
    card = Speed(8_000, 330)
    small = 500.0
    assert speed_by_model(0.1, 20_000, small).writing_rate(4.43) < 12
    both = speed_by_both(0.1, small, card)
    assert both.writing_rate(0.1) == pytest.approx(small)
    assert both.writing_rate(5.44) == pytest.approx(1 / (1 / 500 - 0.1 / 330 + 5.44 / 330))
    assert recommend.recommend(both, 11.8)[1] == "qwen2.5-coder-7b:Q4_0"


def test_a_model_faster_than_its_device_has_no_negative_overhead() -> None:
    assert speed_by_both(0.1, 1e6, Speed(50, 20)).overhead == 0
    assert speed_by_both(0.1, 0.0, Speed(50, 20)).overhead == 0


def test_what_is_recommended_exists_and_everybody_may_use_it() -> None:
    chosen = [entry for entry in entries().values() if entry.recommended]
    assert {entry.licence for entry in chosen} == {"apache-2.0"}
    assert all(find(f"{entry.model}:{entry.quantisation}") == entry for entry in chosen)
    assert {len(recommend.RULE.split(". "))} == {1}, "the rule is one sentence"


def test_the_readme_tells_the_rule_and_these_machines() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert recommend.RULE.lower() in " ".join(readme.split()).lower()
    rows = re.findall(r"^\| .* \| ([\d.]+).* \| \dB .*: (.*) / (.*) \| `(.*)` \|$", readme, re.M)
    machines = [machine for name, machine in MACHINES.items() if "busy" not in name]
    for (free, reading, writing, recommended), machine in zip(rows, machines, strict=True):
        assert (float(free), recommended) == (machine["free"], machine["recommended"])
        assert float(reading.replace(",", "")) == round(machine["reading"])
        assert float(writing) == pytest.approx(machine["writing"], abs=0.5)
