"""What can go wrong, in words that a user understands."""

from __future__ import annotations


class AgendaError(Exception):
    """The base of every error that is shown to the user without a traceback."""


class ParseError(AgendaError):
    """A text that should have been a time, a duration or a rule."""

    def __init__(self, text: str, expected: str):
        super().__init__(f"cannot read {text!r}: expected {expected}")
        self.text = text
        self.expected = expected


class ConflictError(AgendaError):
    """An event that would overlap with others."""

    def __init__(self, title: str, others: list[str]):
        super().__init__(f"{title} overlaps with {', '.join(others)}")
        self.others = others


class UnknownEventError(AgendaError):
    """An identifier that no event has."""

    def __init__(self, identifier: str):
        super().__init__(f"there is no event {identifier}")
        self.identifier = identifier
