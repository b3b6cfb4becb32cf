"""The model server under load in `bench.load`: a new or a running one, with its counters."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from bench.peers.http_server import HttpServer, free_port
from bench.support.servers import EMBEDDED
from bench.support.subjects import cpu_seconds

Counters = dict[str, float]
"""A server's counters by name: prompt tokens evaluated, tokens decoded, CPU seconds.

Counters that the server does not report are missing.
"""
Server = tuple[str, Callable[[], Counters]]
"""A server's address, and the function to read its counters."""
_METRIC = re.compile(r"^((?:llamacpp|vllm):\w+)(?:\{.*\})? ([\d.e+]+)$", re.MULTILINE)


@contextmanager
def started(slots: int, context: int) -> Iterator[Server]:
    """Starts a new llama-server on all cores, with a context of `context` tokens in every slot."""
    port = free_port()
    options = ["--model", str(EMBEDDED), "--port", str(port), "--threads", str(os.cpu_count() or 1)]
    options += ["--slots", str(slots), "--context", str(context * slots)]
    server = HttpServer(["-m", "bench.peers.llama_server", *options], port, "/health")

    def counters() -> Counters:
        metrics = server.client.get("/metrics").text
        return counted(metrics) | {"cpu": cpu_seconds(server.process)}

    try:
        yield str(server.client.base_url), counters
    finally:
        server.stop()


@contextmanager
def at(address: str) -> Iterator[Server]:
    """Uses a running server. Nothing else should use that server meanwhile."""
    with httpx.Client(base_url=address) as client:
        yield address, lambda: counted(client.get("/metrics").text)


def counted(metrics: str) -> Counters:
    """Reads the counters from the metrics of llama-server or vLLM. Gives none for other servers."""
    found: dict[str, float] = defaultdict(float)
    for name, value in _METRIC.findall(metrics):
        found[name] += float(value)
    if "llamacpp:prompt_tokens_total" in found:
        return {
            "evaluated": found["llamacpp:prompt_tokens_total"],
            "decoded": found["llamacpp:tokens_predicted_total"],
        }
    if "vllm:prompt_tokens_total" in found:
        cached = found["vllm:prompt_tokens_cached_total"]
        return {
            "evaluated": found["vllm:prompt_tokens_total"] - cached,
            "decoded": found["vllm:generation_tokens_total"],
        }
    return {}
