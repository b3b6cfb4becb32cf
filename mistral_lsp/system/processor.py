"""What this machine has: its processor, memory and GPUs, as far as the system tells."""

from __future__ import annotations

import contextlib
import platform
import shutil
import subprocess
from pathlib import Path

TELLING_FEATURES = ("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
"""Sets of instructions that decide how fast llama.cpp computes, of those that Linux names."""
COMPILERS = ("cc", "gcc", "clang", "cl")
ASKING_SECONDS = 5.0


def processor() -> str:
    """The name of the processor."""
    named = _processor_information().get("model name")
    return named or _asked("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()


def processor_features() -> list[str]:
    """Those of the processor's sets of instructions that matter here; none where nobody tells."""
    flags = _processor_information().get("flags", "").split()
    return [name for name in TELLING_FEATURES if name in flags]


def gpus() -> list[str]:
    """GPUs that llama.cpp can be compiled for: NVIDIA's, and Apple's."""
    found = _asked("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    names = [line.strip() for line in found.splitlines() if line.strip()]
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        names.append("Apple, by Metal")
    return names


def has_compiler() -> bool:
    """Whether a C compiler is on the path."""
    return any(map(shutil.which, COMPILERS))


def _processor_information() -> dict[str, str]:
    """What Linux says of the first core."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").split("\n\n")[0].splitlines()
        pairs = (line.partition(":") for line in lines)
        return {name.strip(): value.strip() for name, _, value in pairs}
    return {}


def _asked(*command: str) -> str:
    """What a program of the system prints; "" where there is none or it fails."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASKING_SECONDS)
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""
