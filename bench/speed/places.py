"""Chooses places to complete: half-typed lines in functions of real files."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Sequence
from keyword import iskeyword
from typing import NamedTuple

from bench.support.servers import python_text

LONG_FILES = (("argparse.py", "heapq.py"), ("ast.py", "configparser.py"))
"""Pairs of files. The files of a pair have about 3,000 lines together."""
SHORTEST_CODE = 30
"""The fewest characters of a chosen line. Half of a shorter line gives too little context."""
NAME = re.compile(r"(?<=[ (.])[A-Za-z_]\w*")
NOT_ONLY_CODE = re.compile("['\"#]")
"""Matches a sign of a string or a comment.

Lines that contain one are not chosen, since half a string breaks the file.
"""


class Spot(NamedTuple):
    """A place in a file: line and column, both counted from 0.

    The lines used here are ASCII, so that a column is also an LSP column.
    """

    line: int
    column: int


def long_lines(which: int) -> list[str]:
    """Gives about 3,000 lines of real code: files of Python's standard library, joined."""
    return "\n".join(map(python_text, LONG_FILES[which])).split("\n")


def file_lines(name: str) -> list[str]:
    """Gives the lines of a file of Python's standard library."""
    return python_text(name).split("\n")


def half_typed(lines: Sequence[str]) -> list[Spot]:
    """Finds a place in each suitable statement: before a name in the second half of the line."""
    spots = []
    for number in sorted(_statements("\n".join(lines))):
        line = lines[number]
        start = len(line) - len(line.lstrip())
        if len(line) - start < SHORTEST_CODE or not line.isascii() or NOT_ONLY_CODE.search(line):
            continue
        for name in NAME.finditer(line, (start + len(line)) // 2):
            if not iskeyword(name.group()):
                spots.append(Spot(number, name.start()))
                break
    return spots


def _statements(text: str) -> set[int]:
    """Finds one-line assignments, returns and calls in functions. Gives line numbers from 0."""
    found = set()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
            simple = isinstance(node, (ast.Assign, ast.AugAssign, ast.Return)) or called
            if simple and isinstance(node, ast.stmt) and node.lineno == node.end_lineno:
                found.add(node.lineno - 1)
    return found


def spread_out(spots: Sequence[Spot], count: int) -> list[Spot]:
    """Chooses `count` evenly spaced spots, in a fixed shuffled order."""
    step = len(spots) / count
    chosen = [spots[int((place + 0.5) * step)] for place in range(count)]
    random.Random(count).shuffle(chosen)
    return chosen


def nearest(spots: Sequence[Spot], share: float) -> Spot:
    """Gives the spot at the relative position `share`: 0 is the first spot, 1 the last."""
    return spots[int(share * (len(spots) - 1))]


def letter_at(lines: Sequence[str], spot: Spot) -> str:
    """Gives the character at a spot: the next one to type after `cut` has shortened the line."""
    return lines[spot.line][spot.column]


def cut(lines: Sequence[str], spots: Sequence[Spot]) -> list[str]:
    """Gives the lines. Each line with a spot is cut off at the spot."""
    cut_lines = list(lines)
    for spot in spots:
        cut_lines[spot.line] = lines[spot.line][: spot.column]
    return cut_lines
