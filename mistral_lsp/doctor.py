"""Checks this machine and this installation, and says what to do about every problem."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

import psutil

from mistral_lsp import __version__, config
from mistral_lsp.engine import installed
from mistral_lsp.engine.base import EngineError
from mistral_lsp.oneshot import engine_stages
from mistral_lsp.session import Session


async def examine(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Loads the model as the server would, and reports what was found."""
    settings, problems = config.load_user_settings()
    settings, found = config.read(overrides, settings)
    problems = problems + found
    model = None
    async with engine_stages(Session(settings)) as stages:
        try:
            model = await stages.engine.ready()
        except EngineError as error:
            problems.append(str(error))
    return {
        "version": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "free_memory_gb": round(psutil.virtual_memory().available / 1e9, 1),
        "settings_file": str(config.user_file()),
        "engines_installed": installed(),
        "engine": model.engine if model else None,
        "why_engine": model.note if model else None,
        "model": model.model if model else None,
        "window": model.window if model else None,
        "working_window": model.working_window if model else None,
        "problems": problems,
        "advice": _advice(model.engine if model else None),
    }


def _advice(engine: str | None) -> str | None:
    if engine == "ctransformers":
        return "pip install 'mistral-lsp[fast]' (needs a C compiler) brings a faster engine."
    return None


def print_findings(findings: dict[str, Any]) -> None:
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
    if findings["advice"]:
        console.print(f"advice: {findings['advice']}", highlight=False, markup=False)
    if not findings["problems"]:
        console.print("[green]All is well.[/]")
