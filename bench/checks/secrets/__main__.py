"""Hides made-up secrets in files, and counts those that leak into prompts for nearby cursors.

Also counts false alarms: ordinary code that is blotted out by mistake. They are counted in Python's
standard library, and, by file suffix, in the folders named on the command line. Run as `python -m
bench.checks.secrets FOLDERS`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.checks.secrets import kinds, shapes
from mistral_lsp import languages
from mistral_lsp.completion import explain
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.config import Settings
from mistral_lsp.document import Document
from mistral_lsp.languages.base import PLAIN as PLAIN_TEXT
from mistral_lsp.prompt.secrets import find_secrets
from mistral_lsp.prompt.view import is_in_secret, style
from mistral_lsp.types import Decoding, LoadedModel, Prompt

SEED = 20
SAMPLES = 20
SHORTEST = 8
"""A secret has leaked if the engine gets this many consecutive characters of it.

A shorter secret has leaked if the engine gets the whole secret.
"""
MOST_PERCENT = {"named": 10.0, "issued": 2.0, "random": 15.0, "blocks": 2.0, "files": 0.0}
MOST_FALSE_PERCENT = 0.5
TOKEN = re.compile(r"\w+")
"""Matches a name, a word or a number."""
PLACES_OF_A_FILE = 20
CURSORS = ("below", "behind", "half", "half closed")
"""Places of the cursor: in the line below a secret, right after it, or after its first half.

With "half", the line ends at the cursor. With "half closed", the text that follows the secret comes
after the cursor, for example a closing quote.
"""
ABOVE, BELOW = "first = 1\n", "second = 2\n"
LIBRARY = Path(sysconfig.get_paths()["stdlib"])


class Listener:
    """An engine that records the texts given to `count`, and generates nothing."""

    model = LoadedModel("listener", "listener", "suffix-first", 4096, 4096, 4096)

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def ready(self) -> LoadedModel:
        """Gives a made-up model."""
        return self.model

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Estimates a token per three characters.

        Records the texts, since a server would receive them.
        """
        self.heard += texts
        return [len(text) // 3 for text in texts]

    async def weigh(self, prompt: Prompt) -> list[int]:
        """Estimates the tokens of each part. Records nothing, since `leaks` searches the prompt."""
        return [len(part.text) // 3 for part in prompt.parts]

    def generate(self, prompt: Prompt, decoding: Decoding) -> Any:
        """Raises NotImplementedError; no answer is needed."""
        raise NotImplementedError


@dataclass(frozen=True)
class Hidden:
    """A secret in a file. `before` and `behind` are the text on both sides of the secret."""

    group: str
    kind: str
    path: str
    before: str
    secret: str
    behind: str

    def at(self, cursor: str) -> tuple[str, int, str]:
        """Gives the file's text, the cursor's offset, and the part of the secret typed so far.

        `cursor` is one of `CURSORS`.
        """
        length = len(self.secret)
        typed = self.secret[: (length + 1) // 2 if "half" in cursor else length]
        start = ABOVE + self.before + typed + (f"{self.behind}\n" if cursor == "below" else "")
        rest = self.behind if cursor in ("behind", "half closed") else ""
        return f"{start}{rest}\n{BELOW}", len(start), typed


def hidden(chance: Random) -> Iterator[Hidden]:
    """Yields a secret of every kind, hidden in a template."""
    for path, templates in kinds.NAMED.items():
        for template in templates:
            is_drawn = any(place in template for place in kinds.DRAWN_ONLY)
            draw = kinds.drawn(40) if is_drawn else kinds.password
            yield placed("named", f"{path}: {template}", path, template, draw(chance))
    for path, templates in kinds.OF_SENTENCES.items():
        for template in templates:
            secret = kinds.sentence(chance)
            yield placed("named", f"{path}: {template} (words)", path, template, secret)
    for group, drawn in (("issued", shapes.ISSUED), ("random", shapes.RANDOM)):
        for kind, draw in drawn.items():
            path, template = chance.choice(shapes.PLACES)
            yield placed(group, kind, path, template, draw(chance))
    for kind, (path, template) in shapes.BLOCKS.items():
        yield placed("blocks", kind, path, template, shapes.armoured(chance))
    for path in shapes.FILES:
        yield placed("files", path, path, "value §", kinds.sentence(chance))


def placed(group: str, kind: str, path: str, template: str, secret: str) -> Hidden:
    """Hides a secret in a template."""
    before, _, behind = template.partition("§")
    return Hidden(group, kind, path, before, secret, behind)


async def leaks(one: Hidden, cursor: str) -> bool:
    """Whether the secret reaches the engine, in a prompt or in a text whose tokens are counted."""
    text, offset, typed = one.at(cursor)
    shown = one.path.rpartition("/")[2] if one.path.startswith("~") else one.path
    uri = f"file:///{one.path.replace('~', 'somebody')}"
    document = Document(uri, shown, languages.find("", shown), 1, text)
    engine = Listener()
    request = Request(document.snapshot(), offset, "invoked", Settings())
    explained = await explain.explain(request, Workbench(engine, interactive=False))
    told = "\n".join([*engine.heard, *(part["text"] for part in explained["parts"])])
    length = min(SHORTEST, len(typed))
    pieces = {typed[place : place + length] for place in range(len(typed) - length + 1)}
    return any(piece in told for piece in pieces if "\n" not in piece)


async def count_leaks(samples: int, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Gives the percentage of samples that leak, by group, cursor and kind."""
    chance = Random(seed)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for _ in range(samples):
        for one in hidden(chance):
            for cursor in CURSORS:
                of_kinds = found.setdefault(one.group, {}).setdefault(cursor, {})
                leak = 100 / samples if await leaks(one, cursor) else 0.0
                of_kinds[one.kind] = of_kinds.get(one.kind, 0.0) + leak
    return found


@dataclass
class FalseAlarms:
    """Counts false alarms in ordinary code: blotted tokens, and places where nothing is offered."""

    tokens: int = 0
    blotted: int = 0
    places: int = 0
    refused: int = 0

    def read(self, path: Path, chance: Random) -> None:
        """Counts a file's tokens, the blotted ones, and random places where nothing is offered.

        At each place, the file is treated as if it ended there.
        """
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return
        language = languages.find("", path.name)
        secrets = find_secrets(text, style(path.name, language))
        self.tokens += len(TOKEN.findall(text))
        self.blotted += sum(len(TOKEN.findall(text[start:end])) for start, end in secrets)
        for _ in range(PLACES_OF_A_FILE if text else 0):
            place = chance.randrange(len(text))
            near = text[max(0, place - 2_000) : place]
            shown = Document(path.as_uri(), path.name, PLAIN_TEXT, 1, near).snapshot()
            shown = replace(shown, language=language)
            self.places += 1
            self.refused += is_in_secret(shown, len(near))

    def percent(self) -> dict[str, float]:
        """Gives the number of tokens, and the percentages of blotted tokens and refused places."""
        return {
            "tokens": self.tokens,
            "blotted": round(100 * self.blotted / max(1, self.tokens), 3),
            "refused": round(100 * self.refused / max(1, self.places), 3),
        }


def count_false_alarms(folders: Sequence[Path], seed: int) -> dict[str, dict[str, float]]:
    """Counts false alarms in Python's standard library, and, by file suffix, in the folders."""
    found: dict[str, FalseAlarms] = {}
    chance = Random(seed)
    for folder in (LIBRARY, *folders):
        for path in sorted(folder.rglob("*")):
            below = path.relative_to(folder)
            ours = folder != LIBRARY or not {"site-packages", "test", "tests"} & set(below.parts)
            if ours and path.is_file() and (folder != LIBRARY or path.suffix == ".py"):
                name = "library" if folder == LIBRARY else path.suffix or path.name
                found.setdefault(name, FalseAlarms()).read(path, chance)
    return {name: one.percent() for name, one in found.items() if one.tokens}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints two tables and a JSON object. Gives 1 if a percentage is above its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.checks.secrets", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="code to count false alarms in, too")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of every kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--kinds", action="store_true", help="name every kind that leaks")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    leaking = asyncio.run(count_leaks(options.samples, options.seed))
    shares = {
        group: {cursor: round(fmean(by_kind.values()), 2) for cursor, by_kind in cursors.items()}
        for group, cursors in leaking.items()
    }
    alarms = count_false_alarms(options.folders, options.seed)
    for title, rows in (("leaks, %", shares), ("false alarms, %", alarms)):
        print_table(title, rows)
    if options.kinds:
        print_kinds(leaking)
    count = sum(len(cursors[CURSORS[0]]) for cursors in leaking.values())
    broken = [
        *(name for name, row in shares.items() if max(row.values()) > MOST_PERCENT[name]),
        *(name for name, row in alarms.items() if row["blotted"] >= MOST_FALSE_PERCENT),
    ]
    result = {
        "kinds": count,
        "samples": options.samples,
        "leaks": shares,
        "false_alarms": alarms,
        "broken": broken,
        "seconds": round(time.perf_counter() - started, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return int(bool(broken))


def print_table(title: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    """Prints a table with a row for each group."""
    table = Table(title, *next(iter(rows.values())))
    for name, row in rows.items():
        table.add_row(name, *map(str, row.values()))
    Console().print(table)


def print_kinds(leaking: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Prints the kinds of secrets that leak, with the percentage of leaks at each cursor."""
    for group, cursors in leaking.items():
        for cursor, shares in cursors.items():
            for kind, percent in shares.items():
                if percent:
                    print(f"{group}, {cursor}, {percent:.0f} %: {kind!r}")


if __name__ == "__main__":
    sys.exit(main())
