"""Tells random strings from words and names, by the pairs of characters in them."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import pairwise, product

_STRANGENESS = (
    "32236537384122838121445547 34464688458367468446498858 26452672493356168352477959 "
    "35541567288466368445477769 25213346586231534011644258 46654369299477379455498969 "
    "48772754499564579446578988 37762897398667389575699979 34233438776230248322839593 "
    "69996999897999689989699999 68773878499596789757796979 26541677197266259744468938 "
    "25761788397546339846499969 26222416385564358621447868 54336547584321339133243578 "
    "27662675397377337243487949 89999999999899998789499999 16440547295434259323456949 "
    "37351663295456336621376849 26450572197456249223465737 44454559498342639333889899 "
    "37792888499888689888988999 48764895499795589558987799 67565697599778749874888469 "
    "77676789699665749755877847 69884999699999799989999884 "
)
"""A level from 0 to 9 for each pair of letters: the higher, the more it suggests a random string.
Each word is for one first letter, and its digits are for the second letters, a to z. A level is a
scaled logarithm of a quotient: the pair's frequency in random strings, divided by its frequency in
Python's own library.
"""
_EVEN, _STEPS = 4, 1.5
"""The level of a pair that is as frequent in random strings as in code, and the number of levels
for each unit of the logarithm.
"""
_DIGIT_CHANGE, _CAPITAL, _JOINT, _RUN = 1.3, 0.3, -0.5, -1.0
"""Logarithms for four kinds of pairs: a letter beside a digit; a capital after a small letter; a
pair with a character that joins words; and two characters that are equal or neighbours in the
alphabet.
"""
LEAST_MEAN = 0.3
"""Minimum mean of the logarithms of a random word's pairs. In random strings it is about 0.9, in
names below 0.
"""
LEAST_SUM = 4.0
"""Minimum sum of the logarithms of a random word's pairs."""
LEAST_DIGIT_CHANGES = 4
"""Minimum number of changes between digits and letters in a hexadecimal key. Numbers and words have
fewer.
"""

BEGUN_MEAN, BEGUN_SUM = 0.5, 2.0
"""Minimum mean and sum of the logarithms for a half-typed word. With digits in the word, the mean
need only be LEAST_MEAN.
"""

_WORD = re.compile(r"[\w+/~-]{12,}={0,2}", re.ASCII)
_PARTS = re.compile(r"(?:\.(?=\w*[0-9A-Z])[\w~-]+){1,3}={0,2}", re.ASCII)
"""Matches the further parts of a random string, each after a dot."""
_PIECE = re.compile(r"[A-Za-z0-9+=]{12,}")
_HEXADECIMAL = re.compile(
    r"(?<![0-9A-Za-z])(?:0[xX][0-9a-fA-F]{32,}|[0-9a-fA-F]{16,})(?![0-9A-Za-z])"
)
_UUID = re.compile(
    r"(?<![0-9A-Za-z-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z-])"
)
_BEGUN_HEXADECIMAL = re.compile(
    r"(?:0x|ac|sk)?(?=[a-f-]*\d)(?=\d*[a-f])[0-9a-f]{8}[0-9a-f-]*", re.IGNORECASE
)
_DIGESTS = ("sha1-", "sha256-", "sha384-", "sha512-")
_PUBLIC = (
    *_DIGESTS,
    "sha1:",
    "sha256:",
    "sha512:",
    "commit/",
    "commits/",
    "blob/",
    "tree/",
    "raw/",
)
"""Texts that come before a public digest, which is no secret."""
_DRAWING = re.compile(r"[MmLlHhVvCcSsQqTtAaZz\d-]+")
"""Matches the data of a path in SVG."""


def _strangeness() -> dict[str, float]:
    """Maps each pair of letters and digits to its logarithm (see `_STRANGENESS`)."""
    letters = dict(zip(map("".join, product(string.ascii_lowercase, repeat=2)), _levels()))
    found = {}
    for one, other in product(string.ascii_letters + string.digits, repeat=2):
        pair = one + other
        if abs(ord(one) - ord(other)) <= 1:
            found[pair] = _RUN
        elif one.isdigit() or other.isdigit():
            found[pair] = 0.0 if pair.isdigit() else _DIGIT_CHANGE
        elif one.islower() and other.isupper():
            found[pair] = _CAPITAL
        else:
            found[pair] = letters[pair.lower()]
    return found


def _levels() -> Iterator[float]:
    for level in _STRANGENESS.replace(" ", ""):
        yield (int(level) - _EVEN) / _STEPS


_PAIRS = _strangeness()


def random_words(line: str) -> Iterator[tuple[int, int]]:
    """Finds the ranges of the random strings in a line. A range may be found twice."""
    if not _WORD.search(line):
        return
    for pattern in (_UUID, _HEXADECIMAL):
        for found in pattern.finditer(line):
            if _is_number(found[0]) and not line.endswith(_PUBLIC, 0, found.start()):
                yield found.span()
    for found in _WORD.finditer(line):
        if found[0].startswith(_DIGESTS) or _DRAWING.fullmatch(found[0]):
            continue
        if is_random(found[0]):
            parts = _PARTS.match(line, found.end())
            yield found.start(), parts.end() if parts else found.end()
            continue
        for piece in _PIECE.finditer(line, *found.span()):
            if is_random(piece[0]) and not line.endswith(_PUBLIC, 0, piece.start()):
                yield piece.span()


def is_random(word: str, least_mean: float = LEAST_MEAN, least_sum: float = LEAST_SUM) -> bool:
    """Whether `word`, of letters, digits and joining characters, looks random."""
    pairs = [_PAIRS.get(one + other, _JOINT) for one, other in pairwise(word)]
    return sum(pairs) >= max(least_sum, least_mean * len(pairs))


def may_become_random(word: str) -> bool:
    """Whether a half-typed word looks like the beginning of a random string."""
    changes = sum(one.isdigit() != other.isdigit() for one, other in pairwise(word))
    if changes and is_random(word, LEAST_MEAN, BEGUN_SUM):
        return True
    return is_random(word, BEGUN_MEAN, BEGUN_SUM) or bool(_BEGUN_HEXADECIMAL.fullmatch(word))


def _is_number(word: str) -> bool:
    """Whether a hexadecimal number looks like a key, and not like a date or a word."""
    changes = sum(one.isdigit() != other.isdigit() for one, other in pairwise(word))
    return changes - word.count("-") * 2 >= LEAST_DIGIT_CHANGES
