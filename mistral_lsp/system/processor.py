"""Describes this machine: processor, GPUs, compiler."""

from __future__ import annotations

import contextlib
import platform
import shutil
import subprocess
from pathlib import Path

TELLING_FEATURES = ("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
"""Linux's names of the instruction sets that determine llama.cpp's speed."""
COMPILERS = ("cc", "gcc", "clang", "cl")
ASKING_SECONDS = 5.0


def processor() -> str:
    """Gives the processor's name."""
    named = _processor_information().get("model name")
    return named or _asked("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()


def processor_features() -> list[str]:
    """Gives the processor's instruction sets in TELLING_FEATURES; empty if unknown."""
    flags = _processor_information().get("flags", "").split()
    return [name for name in TELLING_FEATURES if name in flags]


def gpus() -> list[str]:
    """Gives the names of GPUs supported by llama.cpp: NVIDIA's and Apple's."""
    names = _nvidia("name,memory.total")
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        names.append("Apple, by Metal")
    return names


def gpu_memory() -> float:
    """Gives the gigabytes of memory of all NVIDIA GPUs. Apple's GPUs use the main memory."""
    sizes = [size.split()[0] for size in _nvidia("memory.total")]
    return sum(int(size) for size in sizes if size.isdecimal()) * 2**20 / 1e9


def has_compiler() -> bool:
    """Whether a C compiler is on the path."""
    return any(map(shutil.which, COMPILERS))


def _nvidia(query: str) -> list[str]:
    """Asks NVIDIA's driver; gives a line for each GPU."""
    found = _asked("nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader")
    return [line.strip() for line in found.splitlines() if line.strip()]


def _processor_information() -> dict[str, str]:
    """Gives what Linux reports about the first core; empty on other systems."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").split("\n\n")[0].splitlines()
        pairs = (line.partition(":") for line in lines)
        return {name.strip(): value.strip() for name, _, value in pairs}
    return {}


def _asked(*command: str) -> str:
    """Runs a command and gives its output; "" if the command is missing or fails."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASKING_SECONDS)
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""
