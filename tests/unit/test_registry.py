"""The registry's facts about known models, and what `models list` tells of them."""

from __future__ import annotations

import re
from collections import defaultdict
from types import SimpleNamespace

import pytest

from mistral_lsp import config
from mistral_lsp.commands import models
from mistral_lsp.models import overview, registry
from mistral_lsp.models.forms import FORMS
from mistral_lsp.models.registry import Entry, entries
from mistral_lsp.system import processor

BITS = {
    "Q4_0": 4.5,
    "Q4_K_M": 4.85,
    "Q5_0": 5.5,
    "Q5_K_M": 5.7,
    "Q6_K": 6.56,
    "Q8_0": 8.5,
    "F16": 16,
}
"""Bits per parameter of each quantisation, the usual mixture of types included."""
TOLERANCE = 0.2
NEXT_EDIT = {"sweep-next-edit-0.5b", "sweep-next-edit-1.5b"}


@pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: entry.name)
def test_every_file_is_described(entry: Entry) -> None:
    assert entry.licence and entry.form in FORMS and entry.file.endswith(".gguf")
    assert entry.window == 0 or entry.window >= 2048
    assert entry.source.count("/") == (entry.model != registry.EMBEDDED)
    assert entry.quantisation.lower() in entry.file.lower()
    assert re.fullmatch(r"|[0-9a-f]{64}", entry.sha256)
    expected = entry.parameters * BITS[entry.quantisation] / 8
    # The smallest models have large vocabularies, which have finer types or are stored twice.
    assert entry.gigabytes == pytest.approx(expected, rel=TOLERANCE, abs=0.12)


def test_a_finer_quantisation_is_larger() -> None:
    files = defaultdict(list)
    for entry in entries().values():
        files[entry.model].append(entry)
    for listed in files.values():
        listed.sort(key=lambda entry: BITS[entry.quantisation])
        sizes = [entry.gigabytes for entry in listed]
        assert sizes == sorted(set(sizes)), listed[0].model


def test_no_two_files_have_the_same_place() -> None:
    names = [entry.file.lower() for entry in entries().values()]
    assert len(names) == len(set(names))
    sums = [entry.sha256 for entry in entries().values() if entry.sha256]
    assert len(sums) == len(set(sums))


def test_a_files_own_repository_counts() -> None:
    base = entries()["mellum-4b-base"], entries()["mellum-4b-base:Q8_0"]
    assert [models.address(entry).split("/")[3:5] for entry in base] == [
        ["mradermacher", "Mellum-4b-base-GGUF"],
        ["JetBrains", "Mellum-4b-base-gguf"],
    ]


@pytest.mark.parametrize(
    ("model", "window"), [("granite-code-3b", 2048), ("Codestral-22B-v0.1", 4096), ("my-own", 4096)]
)
def test_a_server_that_tells_no_window_gets_the_usual_one_or_the_models(model, window) -> None:
    assert registry.window_of_model(model) == window


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Gives a function that simulates a machine's memory and that of its GPUs, in gigabytes."""

    def simulate(memory: float, gpu: float = 0.0) -> dict[str, dict]:
        total = SimpleNamespace(total=memory * 1e9)
        monkeypatch.setattr(config, "user_file", lambda: tmp_path / "config.toml")
        monkeypatch.setattr(overview.psutil, "virtual_memory", lambda: total)
        monkeypatch.setattr(processor, "gpu_memory", lambda: gpu)
        return {model["name"]: model for model in models.listed()}

    return simulate


@pytest.mark.parametrize(
    ("memory", "gpu", "fitting", "too_large"),
    [
        (8.2, 0, "mistral-7b-v0.1", "mistral-7b-v0.1:Q8_0"),
        (6.2, 0, "mistral-7b-v0.1", "codellama-7b"),  # whose KV cache is four times as large
        (7.3, 0, "codellama-7b", "mistral-7b-v0.1:Q8_0"),
        (4.0, 12.5, "mistral-7b-v0.1:Q8_0", "codestral-22b-v0.1"),
        (32.0, 12.5, "codestral-22b-v0.1:Q8_0", "qwen3-coder-next"),
        (0.5, 0, None, "mistral-lsp-tiny-fim"),
    ],
)
def test_what_fits_is_told(machine, memory, gpu, fitting, too_large) -> None:
    found = machine(memory, gpu)
    assert fitting is None or found[fitting]["fits"]
    assert not found[too_large]["fits"]


def test_a_memory_is_not_called_large_enough_that_only_just_holds_a_model() -> None:
    """README.md's figures for files of Mistral 7B's shape."""
    assert not entries()["mistral-7b-v0.1"].fits(5.75)
    assert not entries()["mistral-7b-v0.1:Q8_0"].fits(8.31)


def test_the_list_says_what_was_not_made_for_fill_in(machine, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    found = machine(16.0)
    warned = {name.partition(":")[0] for name, model in found.items() if model["warning"]}
    mistral = {name.partition(":")[0] for name in found if name.startswith("mistral-7b")}
    assert warned == NEXT_EDIT | mistral
    models.print_list(list(found.values()))
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines if line.strip()}
    assert "apache-2.0" in rows["mistral-7b-v0.1"] and "5.13 GB" in rows["mistral-7b-v0.1"]
    assert "not made for fill-in" in rows["mistral-7b-v0.1"]
    assert "too large for this machine" in rows["codestral-22b-v0.1:Q8_0"]


def test_a_gpus_memory_is_read_from_what_its_driver_says(monkeypatch) -> None:
    said = "12288 MiB\n24564 MiB\n[N/A]\n"
    monkeypatch.setattr(processor, "_asked", lambda *_: said)
    assert processor.gpu_memory() == pytest.approx(38.64, abs=0.01)
    monkeypatch.setattr(processor, "_asked", lambda *_: "")
    assert processor.gpu_memory() == 0
