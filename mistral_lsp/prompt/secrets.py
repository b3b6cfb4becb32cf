"""Blots out what looks like a secret in text that goes into a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

BLOT = "xxxxxxxx"
"""Stands in place of a secret, so that the code around it stays code."""

SHAPES = re.compile(
    r"""
    \b(?:AKIA|ASIA)[0-9A-Z]{16}\b                       # Amazon
    | \bgh[opusr]_[0-9A-Za-z]{30,} | \bgithub_pat_\w{20,}  # GitHub
    | \bglpat-[\w-]{16,}                                   # GitLab
    | \bxox[abeoprs]-[\w-]{10,}                            # Slack
    | \bAIza[\w-]{30,} | \bya29\.[\w-]{20,}                # Google
    | \b[sprk]k[-_](?:[a-z]+[-_])*[0-9A-Za-z][\w-]{15,}    # Stripe, OpenAI and their like
    | \bnpm_[0-9A-Za-z]{30,} | \bpypi-[\w-]{30,} | \bhf_[0-9A-Za-z]{30,}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                    # JSON web tokens
    """,
    re.VERBOSE,
)
"""Secrets whose issuers gave them a shape that nothing else has."""

NAMED = re.compile(
    r"""(?ix)
    ((?:passw(?:or)?d|passphrase|secret|token|(?:api|access|private|secret|client)[_-]?key)s?
     ["']?\s*(?::=|=>|[:=])\s*["'])([^"'\s]{6,})(?=["'])
    | (://[^\s/:@"']*:)([^\s/@"']{3,})(?=@)
    """
)
"""Strings that are given to what is named like a secret, and passwords in addresses."""

WORD = re.compile(r"[\w+/-]{20,}")
HEXADECIMAL = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{20,}(?![0-9A-Za-z])")
SHORTEST_RUN = 12
LEAST_CHANGES = 0.42
"""Of a random word's neighbouring letters and digits, the share that are of another kind, of small
letters, capitals and digits: 0.62 in the mean by chance, 0.2 in names.
"""
LEAST_DIGIT_CHANGES = 4
"""How often hexadecimal digits go over from figures to letters or back; numbers and words don't."""


def blot(text: str) -> str:
    """The text with every secret that can be told replaced, line by line."""
    return "".join(map(_blot_line, text.splitlines(keepends=True)))


@lru_cache(maxsize=2_048)
def _blot_line(line: str) -> str:
    line = SHAPES.sub(BLOT, line)
    line = NAMED.sub(lambda found: f"{found[1] or found[3]}{BLOT}", line)
    line = HEXADECIMAL.sub(lambda found: _unless(_is_random_number, found[0]), line)
    return WORD.sub(lambda found: _unless(_is_random_word, found[0]), line)


def _unless(random: Callable[[str], bool], word: str) -> str:
    return BLOT if random(word) else word


def _is_random_number(word: str) -> bool:
    changes = sum(one.isdigit() != other.isdigit() for one, other in pairwise(word))
    return changes >= LEAST_DIGIT_CHANGES


def _is_random_word(word: str) -> bool:
    if not any(map(str.isdigit, word)):
        return False
    kinds = [(_kind(one), _kind(other)) for one, other in pairwise(word)]
    inside = [one != other for one, other in kinds if one and other]
    return sum(inside) >= LEAST_CHANGES * max(len(inside), SHORTEST_RUN)


def _kind(character: str) -> str:
    """The kind of a letter or digit; "" for what only joins them."""
    if character.isdigit():
        return "digit"
    if character.isalpha():
        return "capital" if character.isupper() else "small"
    return ""
