"""Hides made-up secrets in files, and counts how many stand in the prompts for places beside them.

`python -m bench.secrets` also counts what of ordinary code is blotted out by mistake: of Python's own
library, and of the folders that are named, by the files' suffixes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bench import secret_kinds, secret_shapes
from mistral_lsp import languages, pipeline
from mistral_lsp.config import Settings
from mistral_lsp.document import Document
from mistral_lsp.stages import Request, Stages
from mistral_lsp.types import LoadedModel, Prompt

SEED = 20
SAMPLES = 20
SHORTEST = 8
"""Characters of a secret in a row that count as a leak, or all where it has fewer."""
MOST_PERCENT = {"named": 10.0, "issued": 2.0, "random": 15.0, "blocks": 2.0, "files": 0.0}
MOST_FALSE_PERCENT = 0.5
TOKEN = re.compile(r"\w+")
CURSORS = ("below", "behind", "half", "half closed")
NEIGHBOURS = ("first = 1\n", "second = 2\n")


class Listener:
    """An engine that is asked for nothing but the length of texts."""

    model = LoadedModel("listener", "listener", "suffix-first", 4096, 4096, 4096)

    def __init__(self) -> None:
        """Nothing is heard yet."""
        self.heard: list[str] = []

    async def ready(self) -> LoadedModel:
        """The model, which reads any form."""
        return self.model

    async def count(self, texts: Sequence[str]) -> list[int]:
        """A third of the characters. What a server counts, it sees."""
        self.heard += texts
        return [len(text) // 3 for text in texts]

    def generate(self, prompt: Prompt, max_tokens: int, background: bool = False) -> Any:
        """Nobody asks for this here."""
        raise NotImplementedError


@dataclass
class Hidden:
    """A secret in a file: `before` and `behind` are the text around it."""

    group: str
    kind: str
    path: str
    before: str
    secret: str
    behind: str

    def at(self, cursor: str) -> tuple[str, int, str]:
        """The file, the cursor in it, and what of the secret has been typed by then."""
        typed = self.secret if "half" not in cursor else self.secret[: (len(self.secret) + 1) // 2]
        start = NEIGHBOURS[0] + self.before + typed
        if cursor == "below":
            start += f"{self.behind}\n"
        rest = "\n" if cursor in ("below", "half") else f"{self.behind}\n"
        return start + rest + NEIGHBOURS[1], len(start), typed


def hidden(chance: Random) -> Iterator[Hidden]:
    """A sample of every kind."""
    for path, templates in secret_kinds.NAMED.items():
        for template in templates:
            is_drawn = any(place in template for place in secret_kinds.DRAWN_ONLY)
            draw = secret_kinds.drawn(40) if is_drawn else secret_kinds.password
            yield placed("named", f"{path}: {template}", path, template, draw(chance))
    for path, templates in secret_kinds.OF_SENTENCES.items():
        for template in templates:
            secret = secret_kinds.sentence(chance)
            yield placed("named", f"{path}: {template} (words)", path, template, secret)
    for group, kinds in (("issued", secret_shapes.ISSUED), ("random", secret_shapes.RANDOM)):
        for kind, draw in kinds.items():
            path, template = chance.choice(secret_shapes.PLACES)
            yield placed(group, kind, path, template, draw(chance))
    for kind, (path, template) in secret_shapes.BLOCKS.items():
        yield placed("blocks", kind, path, template, secret_shapes.armoured(chance))
    for path in secret_shapes.FILES:
        secret = secret_kinds.drawn(14, secret_kinds.SMALL[:26])(chance)
        yield placed("files", path, path, "value §", secret)


def placed(group: str, kind: str, path: str, template: str, secret: str) -> Hidden:
    """A secret in its place."""
    before, _, behind = template.partition("§")
    return Hidden(group, kind, path, before, secret, behind)


async def leaks(one: Hidden, cursor: str) -> bool:
    """Whether a model is told of the secret, in a prompt or to count its tokens."""
    text, offset, typed = one.at(cursor)
    path = Path(one.path).expanduser() if one.path.startswith("~") else Path("/project", one.path)
    shown = path.name if one.path.startswith("~") else one.path
    document = Document(path.as_uri(), shown, languages.find("", shown), 1, text)
    engine = Listener()
    request = Request(document.snapshot(), offset, "invoked", Settings())
    explained = await pipeline.explain(request, Stages(engine, interactive=False))
    told = "\n".join([*engine.heard, *(part["text"] for part in explained["parts"])])
    length = min(SHORTEST, len(typed))
    pieces = (typed[place : place + length] for place in range(len(typed) - length + 1))
    return any(piece in told for piece in pieces if "\n" not in piece)


async def count_leaks(samples: int, seed: int) -> dict[str, dict[str, Counter[str]]]:
    """How many samples of every kind leak, by group and cursor."""
    chance = Random(seed)
    found: dict[str, dict[str, Counter[str]]] = {}
    for _ in range(samples):
        for one in hidden(chance):
            for cursor in CURSORS:
                group = found.setdefault(one.group, {}).setdefault(cursor, Counter())
                group[one.kind] += await leaks(one, cursor)
    return found
