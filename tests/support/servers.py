"""Starts real model servers for tests of the engine `http`, and engines connected to them."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager
from typing import Any

from bench.peers.http_server import HttpServer
from mistral_lsp import languages
from mistral_lsp.completion.request import Request
from mistral_lsp.config import Settings
from mistral_lsp.document import Document
from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.models import store
from tests.support.waiting import PATIENCE_SECONDS

THREADS = "1"
"""Several threads wait for each other by spinning. Beside busy programs, that takes minutes."""


@asynccontextmanager
async def running(wanted: Wanted, pace: Pace = Pace(), clock: Any = time.perf_counter) -> Any:
    """Starts an engine, and closes it at the end. `states` lists its states and messages."""
    states: list[tuple[str, str]] = []
    engine = RemoteEngine(wanted, lambda *state: states.append(state), pace=pace, clock=clock)
    engine.states = states
    engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def llama_server(port: int, slots: int = 1, context: int = 4096) -> HttpServer:
    """Starts llama.cpp's own server with the embedded model."""
    options = ["--model", str(store.locate("")), "--port", str(port), "--slots", str(slots)]
    options += ["--threads", THREADS, "--context", str(context)]
    return HttpServer(["-m", "bench.peers.llama_server", *options], port, "/health")


def python_server(port: int) -> HttpServer:
    """Starts llama-cpp-python's server (dialect `openai`) with the embedded model."""
    options = ["--model", str(store.locate("")), "--host", "127.0.0.1", "--port", str(port)]
    options += ["--n_threads", THREADS, "--n_threads_batch", THREADS, "--n_ctx", "2048"]
    return HttpServer(["-m", "llama_cpp.server", *options], port, "/v1/models")


LONG = 10 * PATIENCE_SECONDS
PATIENT = Pace(LONG, LONG, LONG, LONG, LONG, check=LONG, grace=LONG)
STARTS = {"llama-server": llama_server, "openai": python_server}


def url(server: HttpServer) -> str:
    return str(server.client.base_url)


@asynccontextmanager
async def engine_at(
    address: str, window: int = 0, kind: type[RemoteEngine] = RemoteEngine, **options: Any
):
    """Starts an engine for the server at `address`; closes it at the end.

    Its time limits are long, since a server on a busy machine answers late.
    """
    engine = kind(Wanted((address,), "auto", "", window), **{"pace": PATIENT, **options})
    engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def request(text: str, offset: int, name: str = "document.py", max_tokens: int = 32) -> Request:
    """Makes an automatic request with a long deadline and no confidence threshold.

    It is not invoked by hand: local engines would then search for the most probable line, which
    remote servers can't.
    """
    document = Document(f"file:///{name}", name, languages.find("python"), 1, text)
    settings = Settings(deadline_ms=1_000_000, max_tokens=max_tokens, min_confidence=0.0)
    return Request(document.snapshot(), offset, "automatic", settings)


def works(server: HttpServer) -> bool:
    """Whether a llama-server reports that it is computing."""
    return any(slot["is_processing"] for slot in server.client.get("/slots").json())


def told(server: HttpServer, name: str) -> float:
    """Reads one counter from a llama-server's metrics."""
    metrics = server.client.get("/metrics").text
    found = re.search(rf"^llamacpp:{name} (\S+)$", metrics, re.MULTILINE)
    assert found is not None, metrics
    return float(found[1])


async def until_idle(server: HttpServer) -> None:
    """Waits until a llama-server reports that it is idle."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while await asyncio.to_thread(works, server):
        assert time.monotonic() < deadline, "the server goes on"
        await asyncio.sleep(0.01)
