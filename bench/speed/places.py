"""Real files, and places in the functions of them where a line is half typed."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Sequence
from keyword import iskeyword
from typing import NamedTuple

from bench.support.servers import python_text

LONG_FILES = (("argparse.py", "heapq.py"), ("ast.py", "configparser.py"))
"""Pairs of about 3,000 lines together."""
OPENED_FILES = (
    "configparser.py",
    "difflib.py",
    "functools.py",
    "calendar.py",
    "csv.py",
    "textwrap.py",
)
SHORTEST_CODE = 30
"""Characters; half of a shorter line says too little."""
NAME = re.compile(r"(?<=[ (.])[A-Za-z_]\w*")
NOT_ONLY_CODE = re.compile("['\"#]")
"""In a string anything may come next, and a file with half of one is broken to its end."""


class Spot(NamedTuple):
    """A place in a file, both counted from 0. The lines used here are ASCII, so that a column is
    also one of the protocol.
    """

    line: int
    column: int


def long_lines(which: int) -> list[str]:
    """About 3,000 lines of real code, joined from Python's standard library."""
    return "\n".join(map(python_text, LONG_FILES[which])).split("\n")


def file_lines(name: str) -> list[str]:
    """The lines of a file of Python's standard library."""
    return python_text(name).split("\n")


def half_typed(lines: Sequence[str]) -> list[Spot]:
    """Where statements in functions can be cut before a name in their second half."""
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
    """Lines, from 0, that are a whole assignment, return or call in a function."""
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
    """`count` of the spots, evenly spaced, in an order that always jumps; the same ones always."""
    step = len(spots) / count
    chosen = [spots[int((place + 0.5) * step)] for place in range(count)]
    random.Random(count).shuffle(chosen)
    return chosen


def nearest(spots: Sequence[Spot], share: float) -> Spot:
    """The spot at this share of them all, from the top."""
    return spots[int(share * (len(spots) - 1))]


def letter_at(lines: Sequence[str], spot: Spot) -> str:
    """What stands at a place: what is typed next where the lines are cut there."""
    return lines[spot.line][spot.column]


def cut(lines: Sequence[str], spots: Sequence[Spot]) -> list[str]:
    """The lines, those of the spots without what is behind them."""
    cut_lines = list(lines)
    for spot in spots:
        cut_lines[spot.line] = lines[spot.line][: spot.column]
    return cut_lines
