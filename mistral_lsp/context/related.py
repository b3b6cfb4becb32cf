"""Chooses excerpts of other files for a prompt: definitions of the names around the cursor."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from mistral_lsp.context import freshness
from mistral_lsp.context.definitions import Defined
from mistral_lsp.context.index import Index, Known
from mistral_lsp.document import Snapshot
from mistral_lsp.types import Excerpt

CountTokens = Callable[[Sequence[str]], Awaitable[list[int]]]

WORD = re.compile(r"[^\W\d]\w+")
BEFORE, AFTER = 6000, 2000
"""Number of characters before and after the cursor in which names are looked for."""
NEAR_LINES = 8
"""Distance from the cursor, in lines, at which a name has half the weight that it has at the
cursor.
"""
TOP = 8000
"""Number of characters at a file's start in which imported names are looked for."""
ANYWHERE = 0.05
"""Minimum weight of a name in the file's first TOP characters. A name at the cursor has a weight of
1.
"""
BEHIND = 0.5
"""Factor for the weight of a word after the cursor. Before the cursor, the factor is 1."""
ELSEWHERE = 0.2
"""Factor for the weight of definitions in a file that the current file seems not to import."""
MEMBER = 0.15
"""Factor for the weight of the members of a class, relative to the weight of the name of the class.
"""
USUAL = 6
"""Maximum number of files that define a name. A name that more files define is ignored, except in
files whose module name is near the cursor.
"""
CHARACTERS_PER_TOKEN = 3
"""Estimated number of characters of a token. By this estimate, a list of definitions is
shortened before its tokens are counted.
"""

Ranked = tuple[float, str, int]
"""A definition: its weight, its file, and its index in the file's definitions."""


async def choose(
    snapshot: Snapshot, offset: int, index: Index, budget: int, count: CountTokens
) -> tuple[Excerpt, ...]:
    """Gives excerpts of other files, of at most `budget` tokens together.

    The file with the greatest weight comes last.
    """
    ranked = rank(snapshot, offset, index)
    files = {file: known for _, file, _ in ranked if (known := index.get(file))}
    while ranked:
        ranked = _within(ranked, budget * CHARACTERS_PER_TOKEN, files)
        excerpts = _excerpts(ranked, files)
        if sum(await count([f"{one.path}\n{one.text}" for one in excerpts])) <= budget:
            as_read = await freshness.look(index, [one.file for one in excerpts])
            return tuple(one for one in excerpts if as_read.get(one.file))
        ranked = ranked[: len(ranked) * 3 // 4]
    return ()


def rank(snapshot: Snapshot, offset: int, index: Index) -> list[Ranked]:
    """Ranks other files' definitions of the names around `offset`, the greatest weight first."""
    weights = _weights(snapshot.text, offset)
    called = index.called(weights) - {snapshot.file}
    found = []
    for file in _candidates(weights, called, index) - {snapshot.file}:
        trust = 1.0 if file in called else ELSEWHERE * _likeness(file, snapshot.file)
        for place, definition in enumerate(index.of(file)):
            weight = _weight(definition, weights, index)
            if weight:
                found.append((weight * trust, file, place))
    return sorted(found, key=lambda one: (-one[0], one[1], one[2]))


def _weights(text: str, offset: int) -> dict[str, float]:
    """Gives each word near `offset` its weight, and words at the file's top a small weight."""
    before = text[max(0, offset - BEFORE) : offset].split("\n")
    after = text[offset : offset + AFTER].split("\n")
    weights = weigh(before[::-1], after, NEAR_LINES)
    for word in WORD.findall(text[:TOP]):
        weights[word] = max(weights.get(word, 0.0), ANYWHERE)
    return weights


def weigh(before: Sequence[str], after: Sequence[str], half: int) -> dict[str, float]:
    """Gives the weight of each word: 1 at the cursor, and 0.5 at a distance of `half` lines.

    `before` and `after` both begin with the line nearest to the cursor. Weights in `after` are
    multiplied by BEHIND.
    """
    weights: dict[str, float] = {}
    for factor, lines in ((1.0, before), (BEHIND, after)):
        for distance, line in enumerate(lines):
            weight = factor * half / (half + distance)
            for word in WORD.findall(line):
                weights[word] = max(weights.get(word, 0.0), weight)
    return weights


def _candidates(weights: Iterable[str], called: set[str], index: Index) -> set[str]:
    files = set(called)
    for word in weights:
        defining = index.defining(word)
        if len(defining) <= USUAL:
            files |= defining
    return files


def _likeness(file: str, other: str) -> float:
    """Gives a factor for how closely two files are related, judged by their paths.

    It is 1 in the same folder, and 0.1 for different languages.
    """
    one, two = PurePosixPath(file), PurePosixPath(other)
    if one.suffix[:3] != two.suffix[:3]:  # .ts and .tsx are one language
        return 0.1
    return 1.0 if one.parent == two.parent else 0.5


def _weight(definition: Defined, weights: dict[str, float], index: Index) -> float:
    own = weights.get(definition.name, 0.0) / max(1, len(index.defining(definition.name)))
    holder = definition.within[-1] if definition.within else ""
    held = MEMBER * weights.get(holder, 0.0) / max(1, len(index.defining(holder)))
    return max(own, held)


def _within(ranked: Sequence[Ranked], characters: int, files: Mapping[str, Known]) -> list[Ranked]:
    """Keeps the definitions with the greatest weights, up to `characters` in all."""
    kept = []
    for one in ranked:
        characters -= len(files[one[1]].definitions[one[2]].text) + 1
        if characters < 0:
            break
        kept.append(one)
    return kept


def _excerpts(ranked: Sequence[Ranked], files: Mapping[str, Known]) -> tuple[Excerpt, ...]:
    """Makes an excerpt for each file: its `ranked` definitions in order, inside their classes."""
    places: dict[str, set[int]] = {}
    for _, file, place in ranked:
        places.setdefault(file, set()).add(place)
    return tuple(
        Excerpt(files[file].path, _text(files[file].definitions, chosen), file)
        for file, chosen in reversed(places.items())
    )


def _text(definitions: Sequence[Defined], chosen: set[int]) -> str:
    holders = {
        definitions[place].within[:length]
        for place in chosen
        for length in range(1, len(definitions[place].within) + 1)
    }
    lines: list[str] = []
    for place, definition in enumerate(definitions):
        if place in chosen or (*definition.within, definition.name) in holders:
            lines += _indented(definition)
    return "\n".join(lines)


def _indented(definition: Defined) -> list[str]:
    blanks = "    " * len(definition.within)
    return [f"{blanks}{line}" for line in definition.text.split("\n")]
