"""Plans the window: chooses the part of a file for the prompt, and keeps this choice.

While the user types, the prefix keeps its start, and the suffix keeps its text. So only the last
tokens of a prompt differ from the previous prompt. A prefix that becomes too long gets a new start
about a third further down, at a definition if possible.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass, replace

from cachetools import LRUCache

from mistral_lsp.document import Snapshot
from mistral_lsp.models.forms import SUFFIX_SHARE
from mistral_lsp.prompt.secrets import Style, blot
from mistral_lsp.prompt.view import blot_file, see, style
from mistral_lsp.types import Excerpt, Span

CLOSERS = ")]}>\"'`;,: \t"
"""Characters that an editor may insert by itself after the cursor."""
RELATED_SHARE = 0.4
"""Share of the budget for excerpts of other files. They get more if this file is short."""
FILLED_SHARE = 2 / 3
"""Share of its room that a new prefix fills. The rest is for the text that the user will type."""
ROOMY_SHARE = 0.9
"""Share of its limit that a prefix may fill. A longer prefix makes a new plan due."""
GROWN_SHARE = 2
"""A prefix may grow to this multiple of its share of the budget before a new plan is due. While the
plan stays, undoing a paste needs no reading.
"""
CHARACTERS_PER_TOKEN = 6
"""Number of the file's characters that are tokenised for each token of a budget."""
LANDMARK = 200
"""Number of characters of a landmark, the text at a prefix's start. After edits further up, a
search for the landmark finds the start again.
"""
KEPT_FILES = 16
"""Maximum number of files whose plans are kept. A local engine keeps at least as many KV cache
states. A plan without its state would save no reading.
"""
KEPT_IN_A_FILE = 8
"""Maximum number of plans kept for one file."""

CountTokens = Callable[[Sequence[str]], Awaitable[list[int]]]
"""Counts the tokens of each text. The texts must not contain secrets, since a remote server may
count.
"""
Introduce = Callable[[Snapshot, int], str]
"""Gives the signatures of the definitions around a place."""
Relate = Callable[[Snapshot, int, int], Awaitable[tuple[Excerpt, ...]]]
"""Gives excerpts of other files that help at a place, with at most the given number of tokens."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The numbers of tokens for the suffix and the prefix of a plan.

    A new plan takes `wanted` tokens. It grows with the typed text, up to `limit`. If `grows` is
    False, the prefix takes all of its room at once, and there are no excerpts of other files. The
    suffix has at most `most_suffix` tokens.
    """

    wanted: int
    limit: int
    grows: bool = True
    most_suffix: int = 1 << 30

    @property
    def suffix(self) -> int:
        """Number of tokens for the suffix."""
        return min(int(self.wanted * SUFFIX_SHARE), self.most_suffix)

    @property
    def prefix(self) -> int:
        """Number of tokens for the prefix, the introduction and the excerpts of other files."""
        return self.wanted - self.suffix

    @property
    def prefix_limit(self) -> int:
        """Maximum number of tokens for the prefix, the introduction and other files.

        If these have more, the prefix must get a new start.
        """
        return self.limit - self.suffix


@dataclass(frozen=True, slots=True)
class Plan:
    """The choice of the part of a file in the window.

    The prefix starts at `anchor`, with the text `landmark`. `suffix` stays the same. If `whole`,
    the suffix reached the file's end when the plan was made. `related` are excerpts of other files.
    `style` is the way in which this file writes values. When the plan was made, the prefix had
    `prefix_length` characters, and all parts but the suffix had `prefix_tokens` tokens.
    """

    budget: Budget
    anchor: int
    landmark: str
    introduction: str
    suffix: str
    whole: bool
    prefix_tokens: int
    prefix_length: int
    related: tuple[Excerpt, ...] = ()
    style: Style = "code"

    async def is_tight(self, text: str, offset: int, count: CountTokens) -> bool:
        """Whether a new plan is due, because this one is small or nearly full."""
        most = GROWN_SHARE * self.budget.prefix
        roomy = min(most, int(self.budget.prefix_limit * ROOMY_SHARE))
        return not self.budget.grows or not await self._has(roomy, text, offset, count)

    def is_behind(self, later: Plan) -> bool:
        """Whether this plan lacks most of the later plan's lines from other files."""
        told, wanted = (
            {line for excerpt in plan.related for line in excerpt.text.split("\n")}
            for plan in (self, later)
        )
        return len(wanted & told) < len(wanted) / 2

    async def fits(self, text: str, offset: int, count: CountTokens) -> bool:
        """Whether the prefix still begins with the landmark, and has not outgrown its limit."""
        if offset < self.anchor or not text.startswith(self.landmark, self.anchor):
            return False
        if offset < self.anchor + len(self.landmark):
            return self.anchor == 0
        return await self._has(self.budget.prefix_limit, text, offset, count)

    async def _has(self, most: int, text: str, offset: int, count: CountTokens) -> bool:
        grown = offset - self.anchor - self.prefix_length
        # A character has at most four bytes, so at most four tokens. In doubt, count the tokens.
        if self.prefix_tokens + 4 * max(0, grown) <= most:
            return True
        prefix = blot(text[self.anchor : offset], self.style)
        return sum(await count([*_told(self.related), self.introduction, prefix])) <= most

    def moved(self, text: str, offset: int) -> Plan:
        """Gives the plan with its anchor at the landmark's new place, if edits above moved it."""
        if self.anchor == 0 or text.startswith(self.landmark, self.anchor):
            return self
        # The landmark is searched within about twice its old distance from the cursor.
        near = max(0, offset - 2 * self.prefix_length - len(self.landmark))
        place = text.find(self.landmark, near, offset)
        return self if place < 0 else replace(self, anchor=place)

    def suffix_agrees(self, text: str, offset: int) -> bool:
        """Whether the text after the cursor is still the plan's suffix.

        Closing brackets and quotes that an editor inserts are ignored. The prompt leaves them out,
        so the model writes them. The answer then replaces the inserted ones.
        """
        behind = text[offset : offset + len(self.suffix) + LANDMARK]
        if self._is_suffix(behind, self.suffix):
            return True
        tail, rest = _split_line(behind)
        frozen_tail, frozen_rest = _split_line(self.suffix)
        if tail.strip(CLOSERS) or frozen_tail.strip(CLOSERS):
            return False
        return self._is_suffix(rest, frozen_rest)

    def _is_suffix(self, behind: str, frozen: str) -> bool:
        if self.whole:
            return behind == frozen
        return bool(frozen) and behind.startswith(frozen)


class Plans:
    """The latest plans of each file.

    With them, the window of an earlier place can be used again.
    """

    def __init__(self) -> None:
        self._files: LRUCache[str, list[Plan]] = LRUCache(KEPT_FILES)

    async def find(
        self, snapshot: Snapshot, offset: int, budget: Budget, count: CountTokens
    ) -> Plan | None:
        """Finds a plan with this budget that fits at `offset`, or gives None."""
        plans = self._files.get(snapshot.uri, [])
        for plan in plans:
            if plan.budget != budget or not plan.suffix_agrees(snapshot.text, offset):
                continue
            moved = plan.moved(snapshot.text, offset)
            if await moved.fits(snapshot.text, offset, count):
                if plan in plans:  # not removed meanwhile
                    plans.remove(plan)
                plans.insert(0, moved)
                return moved
        return None

    async def make(
        self,
        snapshot: Snapshot,
        offset: int,
        budget: Budget,
        count: CountTokens,
        introduce: Introduce,
        relate: Relate,
    ) -> Plan:
        """Makes a plan, and does not store it. Keeps an older plan's suffix if that agrees."""
        for plan in self._files.get(snapshot.uri, []):
            if plan.budget == budget and plan.suffix_agrees(snapshot.text, offset):
                suffix, whole = plan.suffix, plan.whole
                break
        else:
            suffix = await _take_suffix(snapshot, offset, budget.suffix, count)
            whole = offset + len(suffix) == len(snapshot.text)
        related: tuple[Excerpt, ...] = ()
        if budget.grows:
            room = await _room_for_others(snapshot, offset, budget, count)
            related = await relate(snapshot, offset, room)
        manner = style(snapshot.path, snapshot.language)
        plan = Plan(budget, 0, "", "", suffix, whole, 0, 0, related, manner)
        return await _anchored(plan, snapshot, offset, count, introduce)

    def keep(self, uri: str, plan: Plan) -> None:
        """Stores a plan as the newest one of its file. Drops the file's oldest plans."""
        plans = self._files.get(uri, [])
        plans.insert(0, plan)
        del plans[KEPT_IN_A_FILE:]
        self._files[uri] = plans

    def without(self, uri: str, plan: Plan, present: Container[str]) -> Plan:
        """Gives the plan with excerpts of `present` files only.

        This plan replaces the old one among the stored plans.
        """
        related = tuple(one for one in plan.related if not one.file or one.file in present)
        if related == plan.related:
            return plan
        left = replace(plan, related=related)
        plans = self._files.get(uri, [])
        plans[:] = [left if one is plan else one for one in plans]
        return left

    def clear(self) -> None:
        """Removes all plans, for example when the model changes."""
        self._files.clear()


def _split_line(text: str) -> tuple[str, str]:
    end = text.find("\n")
    return (text, "") if end < 0 else (text[:end], text[end:])


def _told(related: Sequence[Excerpt]) -> list[str]:
    return [blot_file(excerpt.path, excerpt.text) for excerpt in related]


async def _room_for_others(
    snapshot: Snapshot, offset: int, budget: Budget, count: CountTokens
) -> int:
    """Gives the number of tokens for excerpts of other files.

    The number is their share, or the room that this file leaves, whichever is larger.
    """
    earliest = max(0, offset - budget.prefix * CHARACTERS_PER_TOKEN)
    own = sum(await count(_split_before_line_ends(see(snapshot, earliest, offset))))
    left = budget.prefix - int(own / FILLED_SHARE) - 1
    return max(int(budget.wanted * RELATED_SHARE), left)


async def _take_suffix(snapshot: Snapshot, offset: int, budget: int, count: CountTokens) -> str:
    end = min(len(snapshot.text), offset + budget * CHARACTERS_PER_TOKEN)
    lines = _split_before_line_ends(snapshot.text[offset:end])
    seen = _split_before_line_ends(see(snapshot, offset, end))
    taken = []
    left = budget
    for line, tokens in zip(lines, await count(seen)):
        if tokens > left:
            break
        taken.append(line)
        left -= tokens
    if lines and not taken:
        return lines[0][: len(await _shorten(seen[0], budget, count, from_end=False))]
    return "".join(taken)


async def _anchored(
    plan: Plan, snapshot: Snapshot, offset: int, count: CountTokens, introduce: Introduce
) -> Plan:
    """Completes a plan: chooses the start of its prefix, and adds the introduction."""
    text, budget = snapshot.text, plan.budget
    taken = sum(await count(_told(plan.related)))
    earliest = max(0, offset - budget.prefix * CHARACTERS_PER_TOKEN)
    lines = _split_before_line_ends(text[earliest:offset])
    seen = _split_before_line_ends(see(snapshot, earliest, offset))
    counts = await count(seen)
    room = budget.prefix - taken
    fill = int(room * FILLED_SHARE) if budget.grows else room
    if earliest == 0 and sum(counts) <= fill:
        landmark = text[: min(LANDMARK, offset)]
        whole = taken + sum(counts)
        return replace(plan, landmark=landmark, prefix_tokens=whole, prefix_length=offset)
    starts, tokens = _line_starts(lines, counts, offset, fill)
    if not starts:
        rest = await _shorten(seen[-1], fill, count, from_end=True)
        starts, tokens = [offset - len(rest)], [fill]
    chosen = _at_definition(snapshot, starts, tokens, offset)
    anchor = starts[chosen]
    # The introduction gets at most half of the room; the rest is for typing. In broken code, the
    # text above may look like one long signature.
    room = (budget.prefix_limit - taken - tokens[chosen]) // 2
    introduced = blot(introduce(snapshot, anchor), plan.style)
    introduction = await _shorten(introduced, room, count, from_end=False)
    return replace(
        plan,
        anchor=anchor,
        landmark=text[anchor : min(anchor + LANDMARK, offset)],
        introduction=introduction,
        prefix_tokens=taken + tokens[chosen] + sum(await count([introduction])),
        prefix_length=offset - anchor,
    )


def _line_starts(
    lines: Sequence[str], counts: Sequence[int], offset: int, fill: int
) -> tuple[list[int], list[int]]:
    """Lists the starts of the lines that lie within `fill` tokens before the cursor, in order.

    Also gives the number of tokens from each start to the cursor. `counts` are the tokens of each
    line.
    """
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
    """Gives the index of the first start that is at a definition, or 0.

    From that start to the cursor, there must be at least half of the tokens.
    """
    if snapshot.tree is None:
        return 0
    for definition in snapshot.tree.definition_starts(Span(starts[0], offset)):
        place = bisect_left(starts, snapshot.text.rfind("\n", 0, definition) + 1)
        if place < len(starts) and tokens[place] >= tokens[0] / 2:
            return place
    return 0


def _split_before_line_ends(text: str) -> list[str]:
    """Splits a text into lines, each with the line end before it.

    These are the chunks whose tokens are cached.
    """
    first, *rest = text.split("\n")
    return [line for line in [first, *(f"\n{line}" for line in rest)] if line]


async def _shorten(line: str, budget: int, count: CountTokens, from_end: bool) -> str:
    """Cuts a text in half, again and again, until it has at most `budget` tokens."""
    while line and (await count([line]))[0] > budget:
        half = len(line) // 2
        line = line[-half:] if from_end else line[:half]
        if half == 0:
            return ""
    return line
