"""Finds a line that the model holds for likelier than the one of its likeliest tokens.

Best first: after the line of the likeliest tokens, those that begin with what was second to one of
them, as long as that beginning alone is likelier than the best line so far. Where the model is sure
of every token, nothing more is tried.
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
"""A token, and how likely it is behind those before it."""


@dataclass(frozen=True, slots=True)
class Line:
    """The choices that make a line, or its beginning; `chance` is its likelihood's logarithm."""

    choices: tuple[Choice, ...] = ()
    chance: float = 0.0

    def tokens(self) -> list[int]:
        """The tokens alone."""
        return [token for token, _ in self.choices]

    def then(self, choice: Choice) -> Line:
        """The line with one more token."""
        chance = math.log(max(choice[1], 1e-30))
        return Line((*self.choices, choice), self.chance + chance)


@dataclass
class Search:
    """One search. `logits_behind` gives the logits behind some tokens, or None once nobody wants
    the line any more; `choose` the likeliest choices from them; `is_over` tells a line's end.
    """

    logits_behind: Callable[[Sequence[int]], Any]
    choose: Callable[[Any, Sequence[int]], Sequence[Choice]]
    is_over: Callable[[Sequence[int]], bool]
    most_tokens: int
    best: Line | None = None
    _doubts: list[tuple[float, int, Line]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def run(self) -> Line | None:
        """The likeliest line that was found; None where the search was broken off before any."""
        self._doubt(Line())
        for _ in range(MOST_TRIES):
            if not self._doubts or not self._beats_best(self._doubts[0][2]):
                break
            self._follow(heappop(self._doubts)[2])
        return self.best

    def _follow(self, line: Line) -> None:
        """Goes on with the likeliest tokens, as long as that may become the best line."""
        while self._beats_best(line):
            if self._is_whole(line):
                self.best = line
                return
            logits = self.logits_behind(line.tokens())
            if logits is None:
                return
            likeliest, *others = self.choose(logits, line.tokens())
            for other in others:
                self._doubt(line.then(other))
            line = line.then(likeliest)

    def _is_whole(self, line: Line) -> bool:
        if len(line.choices) == self.most_tokens:
            return True
        return bool(line.choices) and self.is_over(line.tokens())

    def _beats_best(self, line: Line) -> bool:
        return self.best is None or line.chance > self.best.chance

    def _doubt(self, line: Line) -> None:
        if self._beats_best(line):
            heappush(self._doubts, (-line.chance, next(self._order), line))
