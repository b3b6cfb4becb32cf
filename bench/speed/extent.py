"""The extent of the speed checks: how much they measure, and how long they pause."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Extent:
    """Numbers of things to measure, and pauses in seconds. Tests use small ones."""

    rest_seconds: float = 3.0
    """The pause at a new place, until its window is warm."""
    answered_seconds: float = 1.0
    """The pause after the first answer at a place."""
    adapt_seconds: float = 2.0
    """The pause between the start of another program and the typing."""
    edit_pauses: dict[str, float] = field(default_factory=lambda: {"rested": 1.0, "hurried": 0.0})
    """The pauses between an answer and the next edit: a person's, and a program's."""
    edited_places: int = 3
    returns: int = 10
    """The number of returns to a place from within its file, and as many from another file."""
    restarts: int = 3
    jumps: int = 16
    opened_files: tuple[str, ...] = (
        "configparser.py",
        "difflib.py",
        "functools.py",
        "calendar.py",
        "csv.py",
        "textwrap.py",
    )
    holes: int = 72
    hole_rest_seconds: float = 2.0
    second_windows: int = 3
    typed_lines: int = 16
    cancels: int = 40
