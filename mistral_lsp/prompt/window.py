"""Chooses which part of a file the model sees, and holds on to the choice.

The window is sticky: while the user types, the prefix keeps its start and the suffix its text, so
that a prompt differs from the one before only in its last tokens. When the prefix has outgrown its
share, its start moves down by a third at once, to where a definition begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mistral_lsp.document import Snapshot
from mistral_lsp.types import Span

CLOSERS = ")]}>\"'`;,: \t"
SUFFIX_SHARE = 0.25
FILLED_SHARE = 2 / 3
CHARACTERS_PER_TOKEN = 6
LANDMARK = 200

CountTokens = Callable[[Sequence[str]], Awaitable[list[int]]]
Introduce = Callable[[Snapshot, int], str]


@dataclass(frozen=True, slots=True)
class Plan:
    """The choice: the prefix starts at `anchor`, where `landmark` stands; `suffix` is frozen text.

    The prefix had `prefix_tokens` tokens when it was `prefix_length` characters long and may have
    `prefix_budget`.
    """

    anchor: int
    landmark: str
    introduction: str
    suffix: str
    prefix_tokens: int
    prefix_length: int
    prefix_budget: int


async def make_plan(
    previous: Plan | None,
    snapshot: Snapshot,
    offset: int,
    budget: int,
    count: CountTokens,
    introduce: Introduce,
) -> Plan:
    """The plan for a cursor at `offset`: the previous one where it still serves.

    `budget` is what suffix and prefix may have together, in tokens.
    """
    suffix_budget = int(budget * SUFFIX_SHARE)
    prefix_budget = budget - suffix_budget
    kept = previous
    if kept is not None and kept.prefix_budget != prefix_budget:
        kept = None
    if kept is not None and not _suffix_agrees(kept.suffix, snapshot.text, offset):
        kept = None
    if kept is None:
        suffix = await _take_suffix(snapshot.text, offset, suffix_budget, count)
    elif await _prefix_fits(kept, snapshot.text, offset, count):
        return kept
    else:
        suffix = kept.suffix
    return await _anchored(snapshot, offset, suffix, prefix_budget, count, introduce)


def _suffix_agrees(frozen: str, text: str, offset: int) -> bool:
    """Whether the text behind the cursor is still the frozen one.

    Brackets and quotes that an editor closes by itself do not count: the model then goes on
    seeing the line without them and writes them, and the answer replaces the editor's.
    """
    if frozen and text.startswith(frozen, offset):
        return True
    tail, rest = _split_line(text[offset : offset + len(frozen) + 1000])
    frozen_tail, frozen_rest = _split_line(frozen)
    if tail.strip(CLOSERS) or frozen_tail.strip(CLOSERS):
        return False
    return rest.startswith(frozen_rest) if frozen_rest else not rest


def _split_line(text: str) -> tuple[str, str]:
    end = text.find("\n")
    return (text, "") if end < 0 else (text[:end], text[end:])


async def _prefix_fits(plan: Plan, text: str, offset: int, count: CountTokens) -> bool:
    if offset < plan.anchor or not text.startswith(plan.landmark, plan.anchor):
        return False
    if offset < plan.anchor + len(plan.landmark):
        return plan.anchor == 0
    grown = offset - plan.anchor - plan.prefix_length
    # A character can be as many tokens as it has bytes; only a doubt is worth counting for.
    if plan.prefix_tokens + 4 * max(0, grown) <= plan.prefix_budget:
        return True
    return (await count([text[plan.anchor : offset]]))[0] <= plan.prefix_budget


async def _take_suffix(text: str, offset: int, budget: int, count: CountTokens) -> str:
    lines = _split_before_line_ends(text[offset : offset + budget * CHARACTERS_PER_TOKEN])
    taken = []
    left = budget
    for line, tokens in zip(lines, await count(lines)):
        if tokens > left:
            break
        taken.append(line)
        left -= tokens
    if lines and not taken:
        return await _shorten(lines[0], budget, count, from_end=False)
    return "".join(taken)


async def _anchored(
    snapshot: Snapshot,
    offset: int,
    suffix: str,
    budget: int,
    count: CountTokens,
    introduce: Introduce,
) -> Plan:
    text = snapshot.text
    earliest = max(0, offset - budget * CHARACTERS_PER_TOKEN)
    lines = _split_before_line_ends(text[earliest:offset])
    counts = await count(lines)
    fill = int(budget * FILLED_SHARE)
    if earliest == 0 and sum(counts) <= fill:
        return Plan(0, text[: min(LANDMARK, offset)], "", suffix, sum(counts), offset, budget)
    starts, tokens = _line_starts(lines, counts, offset, fill)
    if not starts:
        rest = await _shorten(lines[-1], fill, count, from_end=True)
        starts, tokens = [offset - len(rest)], [fill]
    chosen = _at_definition(snapshot, starts, tokens, offset)
    anchor = starts[chosen]
    return Plan(
        anchor,
        text[anchor : min(anchor + LANDMARK, offset)],
        introduce(snapshot, anchor),
        suffix,
        tokens[chosen],
        offset - anchor,
        budget,
    )


def _line_starts(
    lines: Sequence[str], counts: Sequence[int], offset: int, fill: int
) -> tuple[list[int], list[int]]:
    """The line starts from which the prefix has at most `fill` tokens, and how many, top-down."""
    starts: list[int] = []
    tokens: list[int] = []
    total = 0
    place = offset
    for line, count in zip(reversed(lines), reversed(counts)):
        total += count
        place -= len(line)
        if total > fill:
            break
        starts.append(place + line.startswith("\n"))
        tokens.append(total)
    return starts[::-1], tokens[::-1]


def _at_definition(
    snapshot: Snapshot, starts: Sequence[int], tokens: Sequence[int], offset: int
) -> int:
    """Which of `starts` to take: the first where a definition begins, if that leaves half of it."""
    if snapshot.tree is None:
        return 0
    for definition in snapshot.tree.definition_starts(Span(starts[0], offset)):
        place = bisect_left(starts, snapshot.text.rfind("\n", 0, definition) + 1)
        if place < len(starts) and tokens[place] >= tokens[0] / 2:
            return place
    return 0


def _split_before_line_ends(text: str) -> list[str]:
    """Lines with the line end before them, which are the chunks that tokens are remembered by."""
    first, *rest = text.split("\n")
    return [line for line in [first, *(f"\n{line}" for line in rest)] if line]


async def _shorten(line: str, budget: int, count: CountTokens, from_end: bool) -> str:
    """As much of an overlong line as fits, by halves."""
    while line and (await count([line]))[0] > budget:
        half = len(line) // 2
        line = line[-half:] if from_end else line[:half]
        if half == 0:
            return ""
    return line
