"""How much the speed checks measure, and how long they pause."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Extent:
    """Counts of the checks, and their pauses in seconds; tests make them small."""

    rest_seconds: float = 3.0
    """Pause at a new place, until its window is warm."""
    answered_seconds: float = 1.0
    """Pause after the first answer at a place."""
    adapt_seconds: float = 2.0
    """Pause between the start of another program and the typing."""
    edit_pauses: dict[str, float] = field(default_factory=lambda: {"rested": 1.0, "hurried": 0.0})
    """Pauses between an answer and the next edit, at a person's pace and at a program's."""
    edited_places: int = 3
    returns: int = 10
    """Returns to the first place from elsewhere in its file, and as many from another file."""
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
