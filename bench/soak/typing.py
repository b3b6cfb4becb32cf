"""Simulates hours of typing: memory, descriptors and latency must not grow.

Run as `python -m bench.soak typing --hours 8`. The typist's pauses are added up, but not waited
for.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import psutil

from bench.soak.conversation import Conversation, server
from bench.soak.fuzz import scripted
from bench.soak.mirror import Mirror
from bench.support.statistics import percentile
from bench.support.typist import LANGUAGES, TRUTH, rhythm

EDITORS = 3
SAMPLES = 200
LARGEST_GROWTH = 0.02
LARGEST_DELAY = 0.10
KEYS_OF_A_FILE = 2_000
READING_SECONDS = 5.0
"""The median pause after a line in seconds, in addition to the pauses in the typing rhythm."""
ENCODING = "utf-16"


class Typist:
    """An editor with a user who types files and corrects errors."""

    def __init__(self, conversation: Conversation, seed: int):
        """Does the handshake. Opens no document."""
        self.conversation = conversation
        self.latencies: list[float] = []
        self.keys = self.simulated = 0.0
        self._chance = Random(seed)
        self._gaps = rhythm(seed)
        self._number = self._version = self._files = 0
        self._sources = [
            path.read_text("utf-8") for path in sorted(TRUTH.rglob("*")) if path.suffix in LANGUAGES
        ]
        settings = {"keepLoadedSeconds": 0}
        params = {"capabilities": {}, "processId": None, "initializationOptions": settings}
        self.request("initialize", params)
        self.notify("initialized", {})

    def request(self, method: str, params: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        arrived = threading.Event()
        answers = []

        def check(answer: dict[str, Any]) -> None:
            answers.append(answer)
            arrived.set()

        self.conversation.send(json.dumps(message).encode(), self._number, check)
        self.conversation.flush()
        if not arrived.wait(30):
            raise TimeoutError(f"{method} was not answered: {self.conversation.wrongs}")
        return answers[0]

    def notify(self, method: str, params: Any) -> None:
        """Sends a notification, at the latest with the next request."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.conversation.send(json.dumps(message).encode())

    def type_until(self, hours: float, each: Callable[[], None]) -> None:
        """Types for `hours` simulated hours; calls `each` after every keystroke."""
        while self.simulated < hours * 3600:
            self._type_file(hours * 3600, each)

    def _type_file(self, until: float, each: Callable[[], None]) -> None:
        source = self._chance.choice(self._sources)
        start = self._chance.randrange(len(source) // 2)
        rest = source[start : start + KEYS_OF_A_FILE]
        mirror = Mirror(source[:start])
        self._files += 1
        uri = f"file:///project/{id(self)}-{self._files}.py"
        item = {"uri": uri, "languageId": "python", "version": 0, "text": mirror.text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        place = mirror.position(start, ENCODING)
        for character in rest:
            self._type_key(uri, place, character)
            if self._chance.random() < 0.03:  # a wrong key, then deleted
                self._type_key(uri, place, "x")
                place["character"] -= 1
                self._change(uri, place, {**place, "character": place["character"] + 1}, "")
            each()
            if self.simulated >= until:
                break
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def _type_key(self, uri: str, place: dict[str, int], character: str) -> None:
        """Types a character at `place` and requests ghost text after it. Moves `place`."""
        self._change(uri, place, place, character)
        place["character"] += 2 if ord(character) > 0xFFFF else 1
        if character == "\n":
            place["line"], place["character"] = place["line"] + 1, 0
        begun = time.perf_counter()
        params = {"textDocument": {"uri": uri}, "position": place, "context": {"triggerKind": 1}}
        shown = self.request("textDocument/inlineCompletion", params)["result"]["items"]
        self.latencies.append(time.perf_counter() - begun)
        if shown:
            self.notify("mistralLsp/didShow", {})
        self.keys += 1
        self.simulated += next(self._gaps)
        if character == "\n":
            self.simulated += READING_SECONDS * self._chance.lognormvariate(0.0, 1.0)

    def _change(self, uri: str, start: dict[str, int], end: dict[str, int], text: str) -> None:
        self._version += 1
        change = {"range": {"start": dict(start), "end": dict(end)}, "text": text}
        document = {"uri": uri, "version": self._version}
        self.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        )


class Watch:
    """Takes samples of the memory, descriptors and memory maps of processes."""

    def __init__(self, pids: list[int]):
        self._processes = [psutil.Process(pid) for pid in pids]
        self.memory: list[int] = []
        self.descriptors: list[int] = []
        self.maps: list[int] = []

    def look(self) -> None:
        """Takes a sample."""
        self.memory.append(sum(one.memory_info().rss for one in self._processes))
        self.descriptors.append(sum(one.num_fds() for one in self._processes))
        self.maps.append(sum(len(one.memory_maps(grouped=False)) for one in self._processes))


def growth(samples: list[int]) -> float:
    """Gives the relative growth from the second tenth of the samples to the last tenth.

    The first tenth is the warm-up.
    """
    tenth = max(1, len(samples) // 10)
    before = statistics.median(samples[tenth : 2 * tenth])
    return statistics.median(samples[-tenth:]) / before - 1


def run(hours: float, seed: int = 1) -> dict[str, Any]:
    """Simulates three users at once, each for `hours` simulated hours."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        environment = scripted(Path(folder))
        typists = [Typist(server(environment=environment), seed + n) for n in range(EDITORS)]
        watch = Watch([typist.conversation.process.pid for typist in typists] + [_host(typists[0])])
        threads = [
            threading.Thread(
                target=typist.type_until, args=(hours, _sampling(typist, watch, hours))
            )
            for typist in typists[1:]
        ]
        for thread in threads:
            thread.start()
        typists[0].type_until(hours, _sampling(typists[0], watch, hours, leads=True))
        for thread in threads:
            thread.join()
    found = report(typists, watch)
    for typist in typists:
        typist.conversation.kill()
    return {**found, "hours": hours, "seconds": round(time.perf_counter() - started, 1)}


def _host(typist: Typist) -> int:
    command = {"command": "mistralLsp.status"}
    while True:
        status = typist.request("workspace/executeCommand", command)["result"]
        if status["state"] == "ready":
            return int(status["host_pid"])
        time.sleep(0.05)


def _sampling(
    typist: Typist, watch: Watch, hours: float, leads: bool = False
) -> Callable[[], None]:
    """Gives the function to call after each keystroke.

    With `leads`, that function takes regular samples; otherwise it does nothing.
    """
    step = hours * 3600 / SAMPLES

    def each() -> None:
        if leads and typist.simulated >= step * len(watch.memory):
            watch.look()

    return each


def report(typists: list[Typist], watch: Watch) -> dict[str, Any]:
    """Computes the figures, and names those that have grown too much."""
    tenths = []
    for place in (0, -1):
        latencies = []
        for typist in typists:
            tenth = len(typist.latencies) // 10
            latencies += typist.latencies[:tenth] if place == 0 else typist.latencies[-tenth:]
        tenths.append(percentile([latency * 1000 for latency in latencies], 95) or 0.0)
    figures: dict[str, Any] = {
        "keys": int(sum(typist.keys for typist in typists)),
        "memory_mb": [round(watch.memory[place] / 1e6, 1) for place in (0, -1)],
        "memory_growth": round(growth(watch.memory), 4),
        "descriptor_growth": round(growth(watch.descriptors), 4),
        "map_growth": round(growth(watch.maps), 4),
        "latency_p95_ms": tenths,
        "latency_growth": round(tenths[1] / tenths[0] - 1, 3),
    }
    wrongs = [wrong for typist in typists for wrong in typist.conversation.wrongs]
    wrongs += [
        f"{name} is {figures[name]}"
        for name in ("memory_growth", "descriptor_growth", "map_growth")
        if figures[name] > LARGEST_GROWTH
    ]
    if figures["latency_growth"] > LARGEST_DELAY:
        wrongs.append(f"latency_growth is {figures['latency_growth']}")
    return {**figures, "wrongs": wrongs}
