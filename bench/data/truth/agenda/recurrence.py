"""Rules by which an event comes again."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from agenda.errors import ParseError
from agenda.spans import Span


class Frequency(Enum):
    """How far apart two occurrences are."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Rule:
    """Every `interval` days, weeks or months, until a day or for a number of times."""

    frequency: Frequency
    interval: int = 1
    until: date | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("the interval of a rule must be at least 1")
        if self.until is not None and self.count is not None:
            raise ValueError("a rule ends on a day or after a count, not both")

    def occurrences(self, first: Span) -> Iterator[Span]:
        """The spans at which an event takes place that took place at `first` first."""
        number = 0
        while self.count is None or number < self.count:
            start = self._start(first.start, number)
            if self.until is not None and start.date() > self.until:
                return
            yield Span(start, start + first.duration)
            number += 1

    def within(self, first: Span, bounds: Span) -> Iterator[Span]:
        """The occurrences that overlap with `bounds`."""
        for span in self.occurrences(first):
            if span.start >= bounds.end:
                break
            if span.overlaps(bounds):
                yield span

    def _start(self, first: datetime, number: int) -> datetime:
        steps = number * self.interval
        if self.frequency is Frequency.DAILY:
            return first + timedelta(days=steps)
        if self.frequency is Frequency.WEEKLY:
            return first + timedelta(weeks=steps)
        return add_months(first, steps)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day of a later month, or that month's last day where it is shorter."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def parse_rule(text: str) -> Rule:
    """Reads a rule such as "weekly", "daily/2 x10" or "monthly until 2024-12-31"."""
    words = text.lower().split()
    if not words:
        raise ParseError(text, "a rule such as weekly")
    name, _, interval = words[0].partition("/")
    try:
        frequency = Frequency(name)
        step = int(interval) if interval else 1
        rest = words[1:]
        if not rest:
            return Rule(frequency, step)
        if len(rest) == 1 and rest[0].startswith("x"):
            return Rule(frequency, step, count=int(rest[0][1:]))
        if len(rest) == 2 and rest[0] == "until":
            return Rule(frequency, step, until=date.fromisoformat(rest[1]))
    except ValueError:
        pass
    raise ParseError(text, "a rule such as weekly, daily/2 x10 or monthly until 2024-12-31")


def format_rule(rule: Rule) -> str:
    """Writes a rule as `parse_rule` reads it."""
    text = rule.frequency.value
    if rule.interval > 1:
        text += f"/{rule.interval}"
    if rule.count is not None:
        text += f" x{rule.count}"
    if rule.until is not None:
        text += f" until {rule.until.isoformat()}"
    return text
