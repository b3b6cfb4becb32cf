"""Statistics of measurements, and facts about the machine."""

from __future__ import annotations

import json
import math
import os
import platform
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def percentile(samples: Sequence[float], percent: float) -> float | None:
    """Gives the nearest-rank percentile, or None if there are no samples."""
    if not samples:
        return None
    ordered = sorted(samples)
    return round(ordered[max(1, math.ceil(percent / 100 * len(ordered))) - 1], 1)


Rows = dict[str, Any]


def spread(samples: Sequence[float]) -> Rows:
    """Gives the number of samples, their median (p50) and their 95th percentile (p95)."""
    return {"n": len(samples), "p50": percentile(samples, 50), "p95": percentile(samples, 95)}


def machine() -> dict[str, Any]:
    """Gives facts about the machine, and the date."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }


def processor() -> str:
    """Gives the processor's name."""
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def report(results: dict[str, Rows]) -> None:
    """Prints the results as a table, and as one JSON object in the last line."""
    table = Table("check", "measured")
    for name, rows in results.items():
        table.add_row(name, "\n".join(f"{key}: {value}" for key, value in rows.items()))
    Console(width=120).print(table)
    sys.stdout.write(json.dumps(results) + "\n")
