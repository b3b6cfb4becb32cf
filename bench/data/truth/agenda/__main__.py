"""The command line: add, list, remove and free."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, time, timedelta
from pathlib import Path

from agenda.book import Book, Event
from agenda.errors import AgendaError
from agenda.recurrence import parse_rule
from agenda.spans import Span, format_duration, parse_date, parse_duration, parse_time


def add(book: Book, options: argparse.Namespace) -> str:
    """Adds an event and says when it takes place."""
    day = parse_date(options.date, datetime.now().date())
    start = datetime.combine(day, parse_time(options.time))
    event = Event(
        identifier=book.next_identifier(),
        title=options.title,
        span=Span(start, start + parse_duration(options.duration)),
        rule=parse_rule(options.repeat) if options.repeat else None,
        tags=frozenset(options.tag),
    )
    book.add(event, force=options.force)
    return f"added {event.identifier}: {event.title} at {start:%Y-%m-%d %H:%M}"


def show(book: Book, options: argparse.Namespace) -> str:
    """Lists the events of the coming days, one a line."""
    start = datetime.combine(datetime.now().date(), time.min)
    bounds = Span(start, start + timedelta(days=options.days))
    lines = [
        f"{span.start:%a %d %b %H:%M}  {format_duration(span.duration):>6}  {event.title}"
        for span, event in book.between(bounds)
    ]
    return "\n".join(lines) if lines else "nothing planned"


def remove(book: Book, options: argparse.Namespace) -> str:
    """Removes an event."""
    event = book.remove(options.identifier)
    return f"removed {event.title}"


def free(book: Book, options: argparse.Namespace) -> str:
    """Lists the gaps of a working day."""
    day = parse_date(options.date, datetime.now().date())
    bounds = Span(datetime.combine(day, time(9)), datetime.combine(day, time(17)))
    wanted = parse_duration(options.duration)
    found = [f"{gap.start:%H:%M} to {gap.end:%H:%M}" for gap in book.free(bounds, wanted)]
    return "\n".join(found) or "no time left"


def make_parser() -> argparse.ArgumentParser:
    """The options of every command."""
    parser = argparse.ArgumentParser(prog="agenda", description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("agenda.json"))
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="add an event")
    adding.add_argument("title")
    adding.add_argument("date")
    adding.add_argument("time")
    adding.add_argument("--duration", default="1h")
    adding.add_argument("--repeat", help="daily, weekly or monthly")
    adding.add_argument("--tag", action="append", default=[])
    adding.add_argument("--force", action="store_true", help="add it even if it overlaps")
    adding.set_defaults(run=add)
    listing = commands.add_parser("list", help="show what is planned")
    listing.add_argument("--days", type=int, default=7)
    listing.set_defaults(run=show)
    removing = commands.add_parser("remove", help="remove an event")
    removing.add_argument("identifier")
    removing.set_defaults(run=remove)
    finding = commands.add_parser("free", help="find a gap in a day")
    finding.add_argument("date")
    finding.add_argument("--duration", default="30m")
    finding.set_defaults(run=free)
    return parser


def main() -> int:
    """Runs one command and writes the book back."""
    options = make_parser().parse_args()
    try:
        book = Book.load(options.file)
        message = options.run(book, options)
        book.save(options.file)
    except AgendaError as error:
        print(f"agenda: {error}", file=sys.stderr)
        return 1
    print(message)
    return 0


if __name__ == "__main__":
    sys.exit(main())
