"""The command `doctor`: checks the machine and the installation, and gives advice."""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
import sys
from collections.abc import Mapping
from typing import Any

import psutil

from mistral_lsp import __version__, config
from mistral_lsp.commands.one_request import engine_workbench
from mistral_lsp.config import Settings
from mistral_lsp.engine.base import Engine
from mistral_lsp.engine.host.measure import default_threads
from mistral_lsp.inference.backends import llama_device
from mistral_lsp.inference.backends.llama_device import Device
from mistral_lsp.inference.backends.registry import installed
from mistral_lsp.models import recommend, registry, store
from mistral_lsp.system import processor
from mistral_lsp.types import Decoding, EngineError, LoadedModel, Part, Prompt
from mistral_lsp.workspace.session import Session

READING_SECONDS, WRITING_SECONDS = 20.0, 4.0
"""Maximum seconds for measuring each speed. In READING_SECONDS, even a slow machine
reads the prompt that `measure` uses.
"""
WRITTEN_TOKENS = 32
READ_LINES = 24

Findings = dict[str, Any]


async def examine(overrides: Mapping[str, Any]) -> Findings:
    """Loads the model as the server does, measures its speed, and gives all findings."""
    settings, problems = config.load_user_settings()
    settings, found = config.read(overrides, settings)
    problems = problems + found
    model = None
    speed: Findings = {}
    device = None
    free = psutil.virtual_memory().available / 1e9
    async with engine_workbench(Session(settings)) as workbench:
        try:
            model = await workbench.engine.ready()
            speed = await measure(workbench.engine)
            device = await measure_device(model, settings)
        except EngineError as error:
            problems.append(str(error))
    suited = suit(settings, speed, free, device) if speed else {}
    return {
        "version": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor.processor(),
        "processor_features": processor.processor_features(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "free_memory_gb": round(free, 1),
        "gpus": processor.gpus(),
        "settings_file": str(config.user_file()),
        "engines_installed": installed(),
        "engine": model.engine if model else None,
        "why_engine": model.note if model else None,
        "model": model.model if model else None,
        "window": model.window if model else None,
        "working_window": model.working_window if model else None,
        **speed,
        **(describe(device) if device else {}),
        **suited,
        "problems": problems,
        "advice": advise(model, settings, speed, suited, device),
    }


async def measure(engine: Engine) -> Findings:
    """Measures two speeds in tokens per second: of reading a new prompt, and of writing.

    A speed is None if it can't be measured.
    """
    # The first line differs every time, so that no cache holds the prompt.
    text = f"# {secrets.token_hex(8)}\n" + "value = function(argument)\n" * READ_LINES
    loop = asyncio.get_running_loop()
    begun = loop.time()
    prompt = Prompt("plain", (Part("prefix", text),))
    generation = engine.generate(prompt, Decoding(WRITTEN_TOKENS))
    limit = loop.call_later(READING_SECONDS, generation.stop)
    arrivals: list[float] = []
    try:
        async for _ in generation:
            arrivals.append(loop.time())
            if len(arrivals) == 1:
                limit.cancel()
                limit = loop.call_later(WRITING_SECONDS, generation.stop)
    finally:
        limit.cancel()
        generation.stop()
    first = arrivals[0] if arrivals else loop.time()
    last = arrivals[-1] if arrivals else first
    usage = generation.usage
    return {
        "reading_tokens_per_second": _rate(usage.evaluated_tokens, first - begun),
        "writing_tokens_per_second": _rate(usage.generated_tokens - 1, last - first),
    }


def _rate(tokens: int, seconds: float) -> float | None:
    return round(tokens / seconds, 1) if tokens > 0 and seconds > 0 else None


async def measure_device(model: LoadedModel, settings: Settings) -> Device | None:
    """Measures the device on which the model computes, if its engine is llama.cpp."""
    if model.engine != "llama_cpp":
        return None
    threads = settings.threads or default_threads()
    return await asyncio.to_thread(llama_device.measure, threads, settings.gpu_layers)


def describe(device: Device) -> Findings:
    """Describes the device. The engine's model takes some of a GPU's memory while it is loaded."""
    found: Findings = {
        "device": device.name,
        "device_gigabytes_per_second": round(device.written_gigabytes, 1),
    }
    return found | (
        {"free_gpu_memory_gb": round(device.free_gigabytes, 1)} if device.is_gpu else {}
    )


def suit(
    settings: Settings, speed: Findings, free_gigabytes: float, device: Device | None
) -> Findings:
    """Gives the machine's tier, from "small" to "workstation", and the recommended model.

    Gives {} if the engine has no local model.
    """
    if settings.asks_server or settings.engine == "scripted":
        return {}
    used = store.locate(settings.model).stat().st_size / 1e9
    if device and device.is_gpu:
        free_gigabytes = device.free_gigabytes + used
    reading = speed["reading_tokens_per_second"] or 0.0
    writing = speed["writing_tokens_per_second"] or 0.0
    if device and used < recommend.TELLING_GIGABYTES:
        alone = recommend.Speed(device.read_gigabytes, device.written_gigabytes)
        found = recommend.speed_by_both(used, writing, alone)
    else:
        found = recommend.speed_by_model(used, reading, writing)
    tier, name = recommend.recommend(found, free_gigabytes)
    return {"tier": tier, "recommended_model": name, "why_recommended": recommend.RULE}


def advise(
    model: LoadedModel | None,
    settings: Settings,
    speed: Findings,
    suited: Findings,
    device: Device | None = None,
) -> list[str]:
    """Gives advice on how to get better or faster answers. Problems are not included."""
    advice = []
    local = not settings.asks_server
    if local and "llama_cpp" not in installed():
        compiler = (
            "" if processor.has_compiler() else " Install a C compiler before, which it needs."
        )
        advice.append(f"pip install 'mistral-lsp[fast]' brings a faster engine.{compiler}")
    elif device and not device.is_gpu and settings.gpu_layers != 0 and processor.gpus():
        advice.append(
            "This machine has a GPU that llama-cpp-python was not compiled for. Compile it again: "
            "CMAKE_ARGS=-DGGML_CUDA=on (NVIDIA) or -DGGML_METAL=on (Apple), then pip install "
            "--force-reinstall --no-cache-dir --no-binary llama-cpp-python 'mistral-lsp[fast]'."
        )
    writing = speed.get("writing_tokens_per_second")
    if writing is not None and writing < recommend.WRITING_RATE:
        advice.append(
            f"The model writes {writing} tokens a second, so a line takes more than one. Choose a "
            "smaller model, or a server elsewhere (mistralLsp.httpUrl)."
        )
    wanted = suited.get("recommended_model")
    chosen = registry.find(settings.model or registry.EMBEDDED)
    if model is not None and wanted and registry.find(wanted) != chosen:
        advice.append(
            f"By its speed and memory, this machine can run {wanted}: mistral-lsp models pull "
            f"{wanted}, then mistral-lsp models use {wanted}."
        )
    return advice


def print_findings(findings: Findings) -> None:
    """Shows the findings on the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(show_header=False, box=None)
    for key, value in findings.items():
        if key not in ("problems", "advice"):
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            table.add_row(key.replace("_", " "), shown)
    console.print(table)
    for problem in findings["problems"]:
        console.print(f"[red]problem:[/] {problem}", highlight=False)
    for advice in findings["advice"]:
        console.print(f"advice: {advice}", highlight=False, markup=False)
    if not findings["problems"]:
        console.print("[green]All is well.[/]")
