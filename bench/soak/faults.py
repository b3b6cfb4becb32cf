"""Faults at random moments under load: every request is answered, and ghost text comes back.

Run as `python -m bench.soak faults --faults 1000`.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from bench.latency_report import percentile
from bench.soak.site import Site

SITES = 4
QUIET_SECONDS = 1.0
"""The longest time between a recovery and the next fault."""


def run(count: int, seed: int = 1, model: Path | None = None, sites: int = SITES) -> dict[str, Any]:
    """Injects so many faults, at several sites at once."""
    shares = [count // sites + (number < count % sites) for number in range(sites)]
    with ThreadPoolExecutor(sites) as pool:
        runs = pool.map(lambda share: at_one_site(share[1], seed + share[0], model), enumerate(shares))
        return summed(list(runs))


def at_one_site(count: int, seed: int, model: Path | None = None) -> dict[str, Any]:
    """Injects so many faults at a site of two editors."""
    chance = Random(seed)
    site = Site(chance, model=model)
    kinds: Counter[str] = Counter()
    seconds: dict[str, list[float]] = {}
    stuck: list[str] = []
    zombies = 0
    for _ in range(count):
        fault = chance.choice(site.faults())
        time.sleep(chance.random() * QUIET_SECONDS)
        name = fault.__name__
        kinds[name] += 1
        recovery = site.recovered(fault())
        if recovery is None:
            stuck.append(f"{name} {[editor.conversation.log[-3:] for editor in site.editors]}")
            break
        seconds.setdefault(name, []).append(recovery)
        zombies += site.zombies()
    left = site.close()
    return {
        "kinds": kinds,
        "seconds": seconds,
        "stuck": stuck,
        "zombies": zombies,
        "requests": site.requests,
        "slowest": site.slowest,
        "gave_up": site.gave_up,
        "wrongs": site.lost,
        **left,
    }


def summed(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """One report of all sites."""
    kinds: Counter[str] = sum((one["kinds"] for one in runs), Counter())
    by_kind = {
        kind: [second for one in runs for second in one["seconds"].get(kind, [])] for kind in kinds
    }
    every = [second for found in by_kind.values() for second in found]
    return {
        "faults": kinds.total(),
        "kinds": dict(kinds),
        "recovery_s": {"p50": round(statistics.median(every), 2), "p95": percentile(every, 95)},
        "recovery_p95_s": {kind: percentile(found, 95) for kind, found in by_kind.items()},
        "slowest_answer_s": round(max(one["slowest"] for one in runs), 2),
        **{
            name: sum(one[name] for one in runs)
            for name in ("requests", "gave_up", "zombies", "hosts_left", "sockets_left")
        },
        "stuck": [kind for one in runs for kind in one["stuck"]],
        "wrongs": [wrong for one in runs for wrong in one["wrongs"]][:20],
    }
