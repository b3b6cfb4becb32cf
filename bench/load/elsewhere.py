"""Measures the time from a cancel until a llama-server reports that it is idle."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx

from bench.load.server import started
from bench.support.servers import python_text, server
from bench.support.statistics import spread

CONTEXT = 4096
LOOK_SECONDS = 0.002


def check_cancel(cancels: int = 20) -> dict[str, Any]:
    """Cancels requests while the server reads uncached prompts; measures the time to idle.

    Leaves out requests that were answered before their cancel.
    """
    random.seed(3)
    samples: list[float] = []
    with started(slots=1, context=CONTEXT) as (address, _), httpx.Client(base_url=address) as watch:
        settings = {"httpUrl": address, "deadlineMs": 60000}
        client = server("--engine", "http", "--window", str(CONTEXT), settings=settings)
        for number in range(cancels):
            # Different names make every prompt cold from its first token.
            uri, text = f"file:///project/cold{number}.py", python_text("argparse.py")
            client.open(uri, text.replace("self", f"self{number}"))
            asked = client.ask(uri, 1500, 0)
            time.sleep(random.uniform(0.3, 1.5))
            busy = works(watch)
            begun = time.perf_counter()
            client.notify("$/cancelRequest", {"id": asked})
            while works(watch):
                time.sleep(LOOK_SECONDS)
            if busy:
                samples.append((time.perf_counter() - begun) * 1000)
            client.response(asked)
        client.close()
        client.kill()
    return {"cancels": cancels, "idle_ms": spread(samples)}


def works(watch: httpx.Client) -> bool:
    """Whether the server reports that it is computing."""
    return any(slot["is_processing"] for slot in watch.get("/slots").json())
