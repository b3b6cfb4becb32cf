"""The calendar itself: adds and finds events, and keeps them in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from agenda.errors import AgendaError, ConflictError, UnknownEventError
from agenda.recurrence import Rule, format_rule, parse_rule
from agenda.spans import Span, gaps

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Event:
    """Something that takes place once, or again and again by a rule."""

    identifier: str
    title: str
    span: Span
    rule: Rule | None = None
    tags: frozenset[str] = frozenset()

    def within(self, bounds: Span) -> Iterator[Span]:
        """When the event takes place within `bounds`."""
        if self.rule is not None:
            yield from self.rule.within(self.span, bounds)
        elif self.span.overlaps(bounds):
            yield self.span

    def to_json(self) -> dict[str, Any]:
        """The event as it is written to the file."""
        return {
            "id": self.identifier,
            "title": self.title,
            "start": self.span.start.isoformat(),
            "end": self.span.end.isoformat(),
            "rule": format_rule(self.rule) if self.rule else None,
            "tags": sorted(self.tags),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Event:
        """The event that `to_json` wrote."""
        start = datetime.fromisoformat(data["start"])
        end = datetime.fromisoformat(data["end"])
        rule = parse_rule(data["rule"]) if data.get("rule") else None
        return cls(data["id"], data["title"], Span(start, end), rule, frozenset(data["tags"]))


@dataclass
class Book:
    """A user's events, by their identifiers."""

    events: dict[str, Event] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.events)

    def add(self, event: Event, *, force: bool = False) -> None:
        """Adds an event. Raises ConflictError where it overlaps, unless `force` is given."""
        others = self.conflicts(event)
        if others and not force:
            raise ConflictError(event.title, [other.title for other in others])
        self.events[event.identifier] = event

    def remove(self, identifier: str) -> Event:
        """Removes an event and returns it."""
        try:
            return self.events.pop(identifier)
        except KeyError:
            raise UnknownEventError(identifier) from None

    def move(self, identifier: str, delta: timedelta) -> Event:
        """Moves an event by `delta`; it keeps its identifier."""
        event = self.events.get(identifier)
        if event is None:
            raise UnknownEventError(identifier)
        moved = replace(event, span=event.span.shifted(delta))
        self.events[identifier] = moved
        return moved

    def conflicts(self, event: Event) -> list[Event]:
        """The other events that take place at the time of `event`."""
        return [
            other
            for other in self.events.values()
            if other.identifier != event.identifier and any(other.within(event.span))
        ]

    def between(self, bounds: Span) -> list[tuple[Span, Event]]:
        """Everything that takes place within `bounds`, in order."""
        found = [(span, event) for event in self.events.values() for span in event.within(bounds)]
        return sorted(found, key=lambda pair: (pair[0], pair[1].title))

    def tagged(self, tag: str) -> list[Event]:
        """The events with a tag, by their first start."""
        chosen = (event for event in self.events.values() if tag in event.tags)
        return sorted(chosen, key=lambda event: event.span)

    def free(self, bounds: Span, at_least: timedelta) -> Iterator[Span]:
        """The gaps within `bounds` that last `at_least` so long."""
        busy = [span for span, _ in self.between(bounds)]
        for gap in gaps(busy, bounds):
            if gap.duration >= at_least:
                yield gap

    def upcoming(self, moment: datetime, horizon: timedelta) -> tuple[Span, Event] | None:
        """What comes next after `moment`, or None if nothing does within the horizon."""
        for span, event in self.between(Span(moment, moment + horizon)):
            if span.start >= moment:
                return span, event
        return None

    def hours_by_tag(self, bounds: Span) -> dict[str, float]:
        """How many hours each tag takes within `bounds`; an event counts for all of its tags."""
        hours: dict[str, float] = {}
        for span, event in self.between(bounds):
            clipped = span.clipped(bounds)
            if clipped is None:
                continue
            for tag in event.tags:
                hours[tag] = hours.get(tag, 0.0) + clipped.duration.total_seconds() / 3600
        return hours

    def next_identifier(self) -> str:
        """An identifier that no event has yet."""
        number = len(self.events) + 1
        while f"e{number}" in self.events:
            number += 1
        return f"e{number}"

    def save(self, path: Path) -> None:
        """Writes the book; the old file stays whole until the new one is complete."""
        data = {
            "version": FORMAT_VERSION,
            "events": [event.to_json() for event in self.events.values()],
        }
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(data, indent=2), encoding="utf-8")
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Book:
        """Reads a book; a file that does not exist yet is an empty one."""
        if not path.exists():
            return cls()
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            events = [Event.from_json(item) for item in data["events"]]
        except (json.JSONDecodeError, KeyError, ValueError) as error:
            raise AgendaError(f"{path} is damaged: {error}") from error
        if data.get("version") != FORMAT_VERSION:
            raise AgendaError(f"{path} was written by another version")
        return cls({event.identifier: event for event in events})
