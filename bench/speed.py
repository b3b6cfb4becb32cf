"""Measures what a user feels beside typing: jumps, the way back, new files, edits, a busy machine.

Run as `python -m bench.speed`; name checks to run only those. Prints a table and one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench.checks import ENGINES, check_cancel, python_text, spread
from bench.latency import EMBEDDED
from bench.lsp_client import ALONE, Client, apart
from bench.modes import replay
from bench.subjects import Ours
from bench.typist import shipped_places

REST_SECONDS = 3.0
"""A pause in which the server may do what it wants to do in one."""
WARM_TOKENS = 8
BUSY_SECONDS = 1.0
BUSY_KEYS = 20
Rows = dict[str, Any]


@dataclass
class Editor:
    """A server with one file open, in which places are asked for ghost text."""

    engine: str
    settings: Rows = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    client: Client = field(init=False)
    _versions: Iterator[int] = field(default_factory=lambda: count(2))

    def __post_init__(self) -> None:
        """Starts the server and waits for the model."""
        command = [sys.executable, "-m", "mistral_lsp", "--engine", self.engine]
        self.client = Client(command, {**apart(), **self.environment})
        self.client.initialize({"deadlineMs": 60000, **ALONE, **self.settings})
        self.client.wait_until_ready()

    def open(self, uri: str, lines: list[str], place: tuple[int, int] | None = None) -> None:
        """Opens a file; with a place, the cursor comes to rest there."""
        self.client.open(uri, "\n".join(lines))
        if place is not None:
            self.look(uri, place)

    def look(self, uri: str, place: tuple[int, int]) -> None:
        """Lets the cursor rest at a place."""
        position = {"line": place[0], "character": place[1]}
        params = {"textDocument": {"uri": uri}, "position": position}
        self.client.notify("mistralLsp/didMoveCursor", params)

    def edit(self, uri: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Replaces a range."""
        self.client.change(uri, next(self._versions), start, end, text)

    def ask(self, uri: str, place: tuple[int, int]) -> Rows:
        """Ghost text at a place: ms to its first piece, its text, prompt tokens evaluated."""
        self.client.notifications.clear()
        begun = time.perf_counter()
        number = self.client.ask(uri, *place, token="grow")
        arrived, message = self.client.response(number)
        grown = [when for when, note in self.client.notifications if note["method"] == "$/progress"]
        items = message["result"]["items"]
        last = self.client.status()["last_request"] or {}
        return {
            "first_ms": (min([arrived, *grown]) - begun) * 1000,
            "text": items[0]["insertText"] if items else "",
            "evaluated": last.get("evaluated_tokens", 0),
            "cached": last.get("cached", False),
        }

    def close(self) -> None:
        """Ends the server."""
        self.client.close()
        self.client.kill()


@contextlib.contextmanager
def editor(engine: str, **named: Any) -> Iterator[Editor]:
    """An editor that is closed at the end."""
    opened = Editor(engine, **named)
    try:
        yield opened
    finally:
        opened.close()


def long_file() -> list[str]:
    """About 3,000 lines of real code."""
    return "\n".join(map(python_text, ("argparse.py", "ast.py", "csv.py"))).split("\n")[:3000]


def half_typed(lines: list[str], seed: int, most: int) -> list[tuple[int, int]]:
    """Places where a line of code is cut in the middle, so that there is something to say."""
    chance = random.Random(seed)
    worth = [n for n, line in enumerate(lines) if 30 < len(line) < 80 and line.strip()[0].isalpha()]
    return [(number, len(lines[number]) // 2) for number in chance.sample(worth, most)]


def cut(lines: list[str], places: list[tuple[int, int]]) -> list[str]:
    """The file with these lines cut there."""
    cut_lines = list(lines)
    for number, column in places:
        cut_lines[number] = lines[number][:column]
    return cut_lines


def check_revisit(engine: str) -> Rows:
    """Back and forth between two places of two files, one fresh letter typed at every return."""
    places = [(800, 4), (2200, 4)]
    lines = long_file()
    for number, column in places:
        lines[number : number + 1] = [" " * column]
    uris = ["file:///project/one.py", "file:///project/two.py"]
    spots = [(uri, place) for uri in uris for place in places]
    with editor(engine) as user:
        for uri in uris:
            user.open(uri, lines)
        for uri, place in spots:
            user.ask(uri, place)
            time.sleep(REST_SECONDS)
        returns = [_return(user, *spots[turn % 4], turn) for turn in range(24)]
    return {
        "first_token_ms": spread([one["first_ms"] for one in returns]),
        "evaluated_tokens": spread([one["evaluated"] for one in returns]),
        "after_a_restart_ms": _after_restart(engine, lines, uris[0], places[0]),
    }


def _return(user: Editor, uri: str, place: tuple[int, int], turn: int) -> Rows:
    line, column = place
    user.edit(uri, place, place, "abcdefghijklmnopqrstuvwxyz"[turn])
    found = user.ask(uri, (line, column + 1))
    user.edit(uri, place, (line, column + 1), "")
    time.sleep(0.2)
    return found


def _after_restart(engine: str, lines: list[str], uri: str, place: tuple[int, int]) -> Rows:
    """The same place in the next editor run, where the user lets what was read be kept."""
    with tempfile.TemporaryDirectory() as cache:
        named = {"settings": {"rememberWindows": True}, "environment": {"XDG_CACHE_HOME": cache}}
        firsts = []
        for _ in range(6):
            with editor(engine, **named) as user:
                user.open(uri, lines)
                found = user.ask(uri, place)
                firsts.append(round(found["first_ms"], 1))
                time.sleep(REST_SECONDS)
            time.sleep(BUSY_SECONDS)  # the host writes and leaves
    # The first run is the cold one; how fast the machine is, is measured until the third.
    return {"cold": firsts[0], "later": firsts[3:]}


def check_jump(engine: str) -> Rows:
    """A new place in a long file: ms until the first ghost text."""
    lines = long_file()
    places = half_typed(lines, 4, 16)
    uri = "file:///project/long.py"
    found = []
    with editor(engine) as user:
        user.open(uri, cut(lines, places))
        for place in places:
            found.append(user.ask(uri, place))
            time.sleep(REST_SECONDS)
    shown = [one["first_ms"] for one in found if one["text"]]
    return {"first_ghost_text_ms": spread(shown), "empty": len(found) - len(shown)}


def check_open(engine: str) -> Rows:
    """A file is opened, the cursor rests, and the first key comes 3 s later."""
    found = []
    with editor(engine) as user:
        for name in ("argparse.py", "ast.py", "csv.py", "difflib.py", "textwrap.py", "shlex.py"):
            lines = python_text(name).split("\n")
            place = half_typed(lines, 5, 1)[0]
            uri = f"file:///project/{name}"
            user.open(uri, cut(lines, [place]), place)
            time.sleep(REST_SECONDS)
            user.edit(uri, place, place, "x")
            found.append(user.ask(uri, (place[0], place[1] + 1)))
    return {
        "warm": sum(one["evaluated"] <= WARM_TOKENS for one in found),
        "files": len(found),
        "evaluated_tokens": spread([one["evaluated"] for one in found]),
        "first_token_ms": spread([one["first_ms"] for one in found]),
    }


def check_edits(engine: str) -> Rows:
    """Edits in a warm window: prompt tokens evaluated, and those of the text that changed."""
    lines = long_file()
    place = half_typed(lines[1500:1600], 6, 1)[0]
    line, column = place[0] + 1500, place[1]
    uri = "file:///project/edited.py"
    pasted = "\n".join(lines[200:220]) + "\n"
    edits = [
        ("enter", (line, column), (line, column), "\n    ", (line + 1, 4)),
        ("paste of 20 lines", (line, 0), (line, 0), pasted, (line + 21, 4)),
        ("undo of it", (line, 0), (line + 20, 0), "", (line + 1, 4)),
        ("insertion above", (2, 0), (2, 0), "import os\n" * 5, (line + 6, 4)),
        ("deletion above", (2, 0), (7, 0), "", (line + 1, 4)),
    ]
    rows: Rows = {}
    with editor(engine) as user:
        user.open(uri, cut(lines, [(line, column)]), (line, column))
        time.sleep(2 * REST_SECONDS)
        for name, start, end, text, cursor in edits:
            user.edit(uri, start, end, text)
            found = user.ask(uri, cursor)
            rows[name] = {"evaluated": found["evaluated"], "changed": tokens_of(text)}
            time.sleep(2 * REST_SECONDS)
    return rows


def tokens_of(text: str) -> int:
    """How many tokens of the embedded model a text has."""
    return len(_vocabulary().tokenize(text.encode(), add_bos=False))


@cache
def _vocabulary() -> Any:
    from llama_cpp import Llama

    return Llama(str(EMBEDDED), vocab_only=True, verbose=False)


def check_busy(engine: str) -> Rows:
    """Lines typed on a quiet machine, and beside a process that spins on every core."""
    quiet = _lines(engine)
    with spinning():
        busy = _lines(engine)
    ratio = busy["line_ms"]["p50"] / quiet["line_ms"]["p50"]
    return {"quiet": quiet, "busy": busy, "ratio": round(ratio, 2)}


def _lines(engine: str) -> Rows:
    """Times of the keystrokes that need the model, and of the first request at each place."""
    run = replay(Ours(engine), "closed", shipped_places(1), BUSY_KEYS)
    waits = [one.answer.line_ms for one in run.samples if one.answer and one.evaluated]
    return {"line_ms": spread(waits), "cold_ms": spread(run.cold_ms)}


@contextlib.contextmanager
def spinning() -> Iterator[None]:
    """As many processes as there are cores that do nothing but compute."""
    begin = multiprocessing.get_context("spawn").Process
    foreign = [begin(target=_spin, daemon=True) for _ in range(psutil.cpu_count() or 1)]
    for process in foreign:
        process.start()
    time.sleep(BUSY_SECONDS)
    try:
        yield
    finally:
        for process in foreign:
            process.kill()


def _spin() -> None:
    while True:
        pass


def check_second_window(engine: str) -> Rows:
    """Another editor window of the same user: memory and time to its first ghost text."""
    lines = python_text("argparse.py").split("\n")
    places = half_typed(lines, 7, 2)
    lines = cut(lines, places)
    uri, small = "file:///project/shared.py", "file:///project/small.py"
    with editor(engine) as first:
        first.open(uri, lines, places[0])
        first.ask(uri, places[0])
        time.sleep(REST_SECONDS)
        before = _memory_mb(first)
        begun = time.perf_counter()
        with editor(engine) as second:
            ready = (time.perf_counter() - begun) * 1000
            second.open(uri, lines)
            same = second.ask(uri, places[0])
            more = _memory_mb(first) - before
            more += psutil.Process(second.client.process.pid).memory_info().rss / 1e6
            second.open(small, ["def add(first, second):", "    return fir"])
            other = second.ask(small, (1, 14))
            shared = first.client.status()["host_pid"] == second.client.status()["host_pid"]
    return {
        "one_host": shared,
        "more_mb": round(more, 1),
        "ready_ms": round(ready, 1),
        "same_file_ms": round(same["first_ms"], 1),
        "small_file_ms": round(other["first_ms"], 1),
    }


def _memory_mb(user: Editor) -> float:
    pids = (user.client.process.pid, user.client.status()["host_pid"])
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 1e6


def check_waste(engine: str) -> Rows:
    """Decoded tokens that no user saw, three lines typed at every place at human pace."""
    run = replay(Ours(engine), "human", shipped_places(1), 0, lines=3)
    shown = run.work.shown or 0
    unseen = 100 * (run.work.decoded - shown) / run.work.decoded
    return {"decoded": run.work.decoded, "unseen_percent": round(unseen, 1)}


CHECKS: dict[str, Callable[[str], Rows]] = {
    "revisit": check_revisit,
    "jump": check_jump,
    "open": check_open,
    "edits": check_edits,
    "busy": check_busy,
    "second-window": check_second_window,
    "waste": check_waste,
    "cancel": check_cancel,
}


def main() -> None:
    """Runs the checks that were named, or all, on the engines that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", nargs="*", help=", ".join(CHECKS))
    parser.add_argument("--engine", action="append", choices=ENGINES)
    options = parser.parse_args()
    if unknown := set(options.checks) - set(CHECKS):
        parser.error(f"there is no check {', '.join(unknown)}")
    table = Table("check", "engine", "measured")
    results: Rows = {}
    for name in options.checks or CHECKS:
        for engine in options.engine or ENGINES:
            rows = results[f"{name} {engine}"] = CHECKS[name](engine)
            shown = "\n".join(f"{key}: {value}" for key, value in rows.items())
            table.add_row(name, engine, shown)
    Console(width=120).print(table)
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
