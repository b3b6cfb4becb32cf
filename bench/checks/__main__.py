"""Measures the server's promised properties one by one, with the real process and model.

Run as `python -m bench.checks`, with the names of checks to run only those. Prints a table and one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psutil
from rich.progress import track

from bench.support.lsp_client import ALONE, Client, apart
from bench.support.servers import ENGINES, STANDARD_LIBRARY, python_text, server
from bench.support.statistics import Rows, report, spread
from bench.support.subjects import timed, token_of

PYTHON_FILES = (
    "argparse.py",
    "ast.py",
    "bisect.py",
    "calendar.py",
    "cmd.py",
    "configparser.py",
    "csv.py",
    "dataclasses.py",
    "difflib.py",
    "fnmatch.py",
    "functools.py",
    "heapq.py",
    "shlex.py",
    "textwrap.py",
)
WARM_WINDOW = 1536
"""The window in tokens, for prompt and answer.

A new prompt has about 1,000 tokens, which leaves room for typing.
"""

PATIENCE_SECONDS = 60.0
GROWING_SECONDS = 6.0


def check_start() -> Rows:
    """Measures the times from the server's start to its initialize reply and to a loaded model."""
    answers, loaded = [], []
    for _ in range(7):
        client = Client([sys.executable, "-m", "mistral_lsp"], apart())
        client.initialize(ALONE)
        answers.append((time.perf_counter() - client.started) * 1000)
        client.wait_until_ready()
        loaded.append((time.perf_counter() - client.started) * 1000)
        client.close()
        client.kill()
    return {"initialize_ms": spread(answers), "ready_ms": spread(loaded)}


def check_cursors(typescript: Path) -> Rows:
    """Runs the command `complete` at 200 random places of 20 files; counts answers and errors."""
    random.seed(20)
    files = [STANDARD_LIBRARY / name for name in PYTHON_FILES]
    files += sorted(path for path in typescript.rglob("*.ts") if path.stat().st_size > 2000)[:6]
    reasons: dict[str, int] = {}
    answered = errors = filled = 0
    for path in track(files, description="cursors", transient=True):
        lines = path.read_text(encoding="utf-8").split("\n")
        for _ in range(10):
            line = random.randrange(len(lines))
            place = f"{path}:{line + 1}:{random.randrange(len(lines[line]) + 1) + 1}"
            done = subprocess.run(
                [sys.executable, "-m", "mistral_lsp", "complete", place, "--json"],
                capture_output=True,
                text=True,
                check=False,
            )
            errors += done.returncode != 0
            record = json.loads(done.stdout) if done.returncode == 0 else {"text": "", "reason": ""}
            answered += done.returncode == 0
            filled += bool(record["text"])
            if not record["text"]:
                reasons[record["reason"]] = reasons.get(record["reason"], 0) + 1
    share = round(100 * filled / max(1, answered), 1)
    return {
        "files": len(files),
        "answered": answered,
        "errors": errors,
        "not_empty_percent": share,
        "reasons": reasons,
    }


def check_typing(engine: str) -> Rows:
    """Retypes lines of a 1,000-line file in a warm window, with a request after each character."""
    client = server(
        "--engine", engine, "--window", str(WARM_WINDOW), settings={"deadlineMs": 60000}
    )
    lines = python_text("argparse.py").split("\n")[:1000]
    places = [number for number, line in enumerate(lines) if len(line.strip()) > 25]
    random.seed(6)
    samples: list[Rows] = []
    for number in sorted(random.sample(places[200:], 6)):
        samples += _type_line(client, lines, number)
    client.close()
    client.kill()
    asked = [sample for sample in samples if not sample["cached"]]
    return {
        "keystrokes": len(samples),
        "reached_the_model": len(asked),
        "prompt_tokens": spread([sample["prompt_tokens"] for sample in asked]),
        "evaluated_tokens_of_all": spread([sample["evaluated_tokens"] for sample in samples]),
        "evaluated_tokens": spread([sample["evaluated_tokens"] for sample in asked]),
        "first_token_ms": spread([sample["first_ms"] for sample in asked]),
        "full_line_ms": spread([sample["full_ms"] for sample in asked]),
        "cached_ms": spread([sample["full_ms"] for sample in samples if sample["cached"]] or [0]),
    }


def _type_line(client: Client, lines: Sequence[str], number: int) -> list[Rows]:
    """Types one line; gives a sample for each character.

    A first request, before any typing, reads the window and gives no sample. In the pause after
    that request, the server grows the window to its full size.
    """
    uri = f"file:///project/line{number}.py"
    line = lines[number]
    start = len(line) - len(line.lstrip())
    client.open(uri, "\n".join([*lines[:number], line[:start], *lines[number + 1 :]]))
    client.items(client.ask(uri, number, start, kind=1))
    time.sleep(GROWING_SECONDS)
    samples = []
    for column in range(start, len(line)):
        client.change(uri, column + 2, (number, column), (number, column), line[column])
        client.notifications.clear()
        begun = time.perf_counter()
        asked = client.ask(uri, number, column + 1, kind=1, token=token_of(begun))
        answer = timed(client, asked, begun, PATIENCE_SECONDS)
        sample = client.status()["last_request"]
        sample["first_ms"], sample["full_ms"] = answer.first_ms, answer.full_ms
        samples.append(sample)
    return samples


def check_cancel(
    *arguments: str, environment: dict[str, str] | None = None, cancels: int = 40
) -> Rows:
    """Cancels requests while 3,000 uncached tokens are read; measures the time to an idle host."""
    settings = {"deadlineMs": 60000}
    client = server(*arguments, "--window", "4096", settings=settings, environment=environment)
    text = python_text("argparse.py")
    random.seed(3)
    for number in range(cancels):
        # A new first line makes every prompt cold from its first token.
        uri = f"file:///project/cold{number}.py"
        client.open(uri, f"# {random.random()}\n" + text)
        client.status()
        asked = client.ask(uri, 1500, 0, kind=1)
        time.sleep(random.uniform(0.1, 3.0))
        client.notify("$/cancelRequest", {"id": asked})
        client.response(asked)
        time.sleep(0.3)
    found = client.status()["cancel_to_idle_ms"]
    client.close()
    client.kill()
    return {"cancels": cancels, **found}


def check_memory() -> Rows:
    """Measures the memory of the server and of its host after work in several languages."""
    client = server()
    for name, language in (
        ("argparse.py", "python"),
        ("a.ts", "typescript"),
        ("a.js", "javascript"),
    ):
        text = python_text("argparse.py") if name.endswith(".py") else "const a = 1;\n" * 2000
        client.open(f"file:///project/{name}", text, language)
        client.items(client.ask(f"file:///project/{name}", 700, 0, kind=1))
    resident = psutil.Process(client.process.pid).memory_info().rss / 1e6
    host = client.status()["resident_mb"]
    client.close()
    client.kill()
    return {"server_mb": round(resident, 1), "host_mb": host}


def check_overhead() -> Rows:
    """Times keystrokes in a 10,000-line file, with an engine that takes almost no time."""
    client = Client([sys.executable, "-m", "mistral_lsp", "--engine", "scripted"], apart())
    client.initialize(ALONE)
    client.wait_until_ready()
    lines = (python_text("argparse.py") * 5).split("\n")[:10000]
    random.seed(10)
    samples = []
    uri = "file:///project/large.py"
    client.open(uri, "\n".join(lines))
    version = 1
    for number in (400, 5000, 9500):
        for column in range(100):
            version += 1
            client.change(uri, version, (number, column), (number, column), "x")
            begun = time.perf_counter()
            arrived, _ = client.response(client.ask(uri, number, column + 1, kind=1))
            if column > 2:  # the first ones read the window at a new place
                samples.append((arrived - begun) * 1000)
    client.close()
    client.kill()
    return {"round_trip_ms": spread(samples)}


def check_stale() -> Rows:
    """Mixes 500 edits and requests at random; counts the answers for an outdated text.

    A status request follows every edit, and the server handles messages in order. So an answer is
    outdated if it was requested before an edit, but comes after the status that follows that edit.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as script:
        # An engine that always answers, in about 30 ms, so that many answers can be late.
        json.dump({"delay_ms": 2, "answers": [{"after": "", "answer": "return value\n"}]}, script)
        script.flush()
        arguments = ["--engine", "scripted", "--window", "512"]
        client = Client(
            [sys.executable, "-m", "mistral_lsp", *arguments],
            {**apart(), "MISTRAL_LSP_SCRIPT": script.name},
        )
        client.initialize(ALONE)
        client.wait_until_ready()
    uri = "file:///project/busy.py"
    random.seed(50)
    lines = python_text("textwrap.py").split("\n")
    client.open(uri, "\n".join(lines))
    version = 1
    asked: dict[int, int] = {}
    marks: dict[int, int] = {}
    for _ in range(500):
        # Mostly at one place, where the window is warm and answers come; sometimes elsewhere.
        number = 200 if random.random() < 0.95 else random.randrange(len(lines))
        end = (number, len(lines[number]))
        if random.random() < 0.5:
            version += 1
            character = random.choice("abc =(.")
            lines[number] += character
            client.change(uri, version, end, end, character)
            command = {"command": "mistralLsp.status"}
            marks[client.begin("workspace/executeCommand", command)] = version
        else:
            asked[client.ask(uri, *end, kind=1)] = version
        time.sleep(random.choice((0.0, 0.005, 0.02, 0.03, 0.05, 0.1)))
    answers = {number: client.items(number) for number in asked}
    known, stale = 1, 0
    for number in client.answered:
        known = marks.get(number, known)
        stale += bool(answers.get(number)) and asked[number] < known
    dropped = client.status()["requests"]
    client.close()
    client.kill()
    delivered = sum(map(bool, answers.values()))
    return {"asked": len(asked), "delivered": delivered, "stale": stale, "server_counts": dropped}


def check_agreement() -> Rows:
    """Compares the first lines that both engines generate for the same token ids, at 50 cursors."""
    from bench.checks.agreement import compare

    return compare(STANDARD_LIBRARY, PYTHON_FILES)


def check_workspace() -> Rows:
    """Measures keystrokes while 5,000 files are scanned."""
    from bench.checks import workspace

    return workspace.check_workspace(STANDARD_LIBRARY)


def check_cancel_elsewhere() -> Rows:
    """Cancels requests while a llama-server reads prompts; measures the time until it is idle."""
    from bench.load import elsewhere

    return elsewhere.check_cancel()


def main() -> None:
    """Runs the checks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", nargs="*")
    parser.add_argument("--typescript", type=Path, help="a folder with TypeScript files")
    options = parser.parse_args()
    checks: dict[str, Callable[[], Rows]] = {
        "start": check_start,
        "memory": check_memory,
        "overhead": check_overhead,
        "stale": check_stale,
        "workspace": check_workspace,
        "agreement": check_agreement,
        "cancel-elsewhere": check_cancel_elsewhere,
    }
    for engine in ENGINES:
        checks[f"typing-{engine}"] = partial(check_typing, engine)
        checks[f"cancel-{engine}"] = partial(check_cancel, "--engine", engine)
    if options.typescript:
        checks["cursors"] = lambda: check_cursors(options.typescript)
    results = {name: checks[name]() for name in options.checks or checks}
    report(results)


if __name__ == "__main__":
    main()
