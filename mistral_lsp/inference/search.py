"""Best-first search for the most probable line.

The search first completes the greedy line. Then it completes beginnings that end in a runner-up
token, the most probable first. It stops when no beginning is more probable than the best line
found; if the model is sure of every token, that is at once. To find further lines, it also
completes less probable beginnings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

MOST_TRIES = 4

Choice = tuple[int, float]
"""A token, and its probability after the tokens before it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line or its beginning, as chosen tokens. `chance` is its log probability."""

    choices: tuple[Choice, ...] = ()
    chance: float = 0.0

    def tokens(self) -> list[int]:
        """Gives the tokens without probabilities."""
        return [token for token, _ in self.choices]

    def then(self, choice: Choice) -> Line:
        """Gives the line extended by one token."""
        chance = math.log(max(choice[1], 1e-30))
        return Line((*self.choices, choice), self.chance + chance)


@dataclass
class Search:
    """One search for the most probable lines.

    `logits_behind` gives the logits after some tokens, or None after a cancel. `choose` gives the
    most probable choices from logits. `is_over` tells whether tokens end the line.
    """

    logits_behind: Callable[[Sequence[int]], Any]
    choose: Callable[[Any, Sequence[int]], Sequence[Choice]]
    is_over: Callable[[Sequence[int]], bool]
    most_tokens: int
    _whole: list[Line] = field(default_factory=list)
    _doubts: list[tuple[float, int, Line]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def run(self, place: int = 1) -> Line | None:
        """Gives the `place`-th most probable line, counted from 1.

        None if the search finds fewer lines or is cancelled.
        """
        self._doubt(Line())
        for _ in range(MOST_TRIES):
            if not self._doubts or not self._beats_best(self._doubts[0][2]):
                break
            self._follow(heappop(self._doubts)[2], self._beats_best)
        while self._whole and len(self._whole) < place and self._doubts:
            self._follow(heappop(self._doubts)[2], lambda line: True)
        ranked = sorted(self._whole, key=lambda line: -line.chance)
        return ranked[place - 1] if len(ranked) >= place else None

    def _follow(self, line: Line, is_wanted: Callable[[Line], bool]) -> None:
        """Extends a line by its most probable tokens while `is_wanted`; queues the runners-up."""
        while is_wanted(line):
            if self._is_whole(line):
                self._whole.append(line)
                return
            logits = self.logits_behind(line.tokens())
            if logits is None:
                return
            likeliest, *others = self.choose(logits, line.tokens())
            for other in others:
                self._doubt(line.then(other))
            line = line.then(likeliest)
        self._doubt(line)

    def _is_whole(self, line: Line) -> bool:
        if len(line.choices) == self.most_tokens:
            return True
        return bool(line.choices) and self.is_over(line.tokens())

    def _beats_best(self, line: Line) -> bool:
        return all(line.chance > whole.chance for whole in self._whole)

    def _doubt(self, line: Line) -> None:
        heappush(self._doubts, (-line.chance, next(self._order), line))
