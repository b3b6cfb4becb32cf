"""Injects faults at random moments under load.

Every request must be answered, and ghost text must return. Run as `python -m bench.soak faults
--faults 1000`.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from bench.soak.site import Fault, Site
from bench.soak.stalls import Stalls
from bench.support.statistics import percentile

SITES = 4
QUIET_SECONDS = 1.0
"""The longest pause between a recovery and the next fault."""


def run(
    count: int,
    seed: int = 1,
    model: Path | None = None,
    sites: int = SITES,
    kinds: Collection[str] = (),
) -> dict[str, Any]:
    """Injects `count` faults, spread over `sites` sites. With empty `kinds`, injects all kinds."""

    def at_site(number: int) -> dict[str, Any]:
        share = count // sites + (number < count % sites)
        return at_one_site(share, seed + number, model, kinds)

    stalls = Stalls()
    with ThreadPoolExecutor(sites) as pool:
        found = summed(list(pool.map(at_site, range(sites))))
    return {**found, "longest_stall_s": stalls.end()}


def at_one_site(
    count: int, seed: int, model: Path | None, kinds: Collection[str]
) -> dict[str, Any]:
    """Injects `count` faults at one site, which has two editors."""
    chance = Random(seed)
    site = Site(chance, model=model)
    seen: Counter[str] = Counter()
    seconds: dict[str, list[float]] = {}
    stuck: list[str] = []
    zombies = 0
    order: list[Fault] = []
    for _ in range(count):
        # Every kind equally often, in a new order each time.
        if not order:
            possible = [one for one in site.faults() if not kinds or one.__name__ in kinds]
            order = chance.sample(possible, len(possible))
        fault = order.pop()
        time.sleep(chance.random() * QUIET_SECONDS)
        name = fault.__name__
        seen[name] += 1
        recovery = site.recovered(fault())
        if recovery is None:
            stuck.append(f"{name} {[editor.conversation.log[-3:] for editor in site.editors]}")
            break
        seconds.setdefault(name, []).append(recovery)
        zombies += site.zombies()
    left = site.close()
    return {
        "kinds": seen,
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
    """Merges the reports of all sites into one."""
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
