"""A small calendar for the terminal: events, repetition, conflicts and free time."""
