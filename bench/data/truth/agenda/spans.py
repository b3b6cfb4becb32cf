"""Half-open stretches of time, and how to read times and durations from text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agenda.errors import ParseError

DURATION = re.compile(r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?")
DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y")


@dataclass(frozen=True, order=True)
class Span:
    """The time from `start` up to, but not including, `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a span must end after it starts: {self.start} to {self.end}")

    @property
    def duration(self) -> timedelta:
        """How long the span lasts."""
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Whether the two have at least a moment in common."""
        return self.start < other.end and other.start < self.end

    def contains(self, moment: datetime) -> bool:
        """Whether `moment` lies within the span."""
        return self.start <= moment < self.end

    def shifted(self, delta: timedelta) -> Span:
        """The same span, later by `delta`."""
        return Span(self.start + delta, self.end + delta)

    def clipped(self, bounds: Span) -> Span | None:
        """The part of the span that lies within `bounds`, or None if there is none."""
        start = max(self.start, bounds.start)
        end = min(self.end, bounds.end)
        if start >= end:
            return None
        return Span(start, end)


def merge(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, with those that touch or overlap joined into one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            last = merged.pop()
            merged.append(Span(last.start, max(last.end, span.end)))
        else:
            merged.append(span)
    return merged


def gaps(busy: Iterable[Span], bounds: Span) -> Iterator[Span]:
    """The free spans between the busy ones, within `bounds`."""
    cursor = bounds.start
    for span in merge(busy):
        if span.end <= bounds.start or span.start >= bounds.end:
            continue
        if span.start > cursor:
            yield Span(cursor, span.start)
        cursor = max(cursor, span.end)
    if cursor < bounds.end:
        yield Span(cursor, bounds.end)


def parse_duration(text: str) -> timedelta:
    """Reads a duration such as "1h30m", "45m" or "2d"."""
    match = DURATION.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise ParseError(text, "a duration such as 1h30m")
    parts = {name: int(value) for name, value in match.groupdict().items() if value}
    return timedelta(**parts)


def parse_date(text: str, today: date) -> date:
    """Reads a date, or one of the words "today" and "tomorrow"."""
    word = text.strip().lower()
    if word == "today":
        return today
    if word == "tomorrow":
        return today + timedelta(days=1)
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(word, pattern).date()
        except ValueError:
            continue
    raise ParseError(text, "a date such as 2024-05-31")


def parse_time(text: str) -> time:
    """Reads a time of the day such as "9:30" or "17"."""
    hours, _, minutes = text.strip().partition(":")
    try:
        return time(int(hours), int(minutes or 0))
    except ValueError:
        raise ParseError(text, "a time such as 9:30") from None


def format_duration(delta: timedelta) -> str:
    """Writes a duration as `parse_duration` reads it."""
    minutes = int(delta.total_seconds() // 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{days}d" if days else "", f"{hours}h" if hours else ""]
    if minutes or not any(parts):
        parts.append(f"{minutes}m")
    return "".join(parts)
