"""An LRU cache of prompts' KV states, so that returning to a place in a file needs no reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROOM = 256 * 1024 * 1024
"""The most bytes of all states together. The newest state is kept even if it is larger."""
MOST = 16
"""The most states. Without this limit, small states would accumulate all day."""
SAME_PLACE = 64
"""Tokens. States that differ by at most this number belong to the same place in a file."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A KV state in the backend's format, and the tokens that it was computed from.

    `head` is the number of tokens before the suffix, or 0 if the suffix is not after the prefix.
    `age` is the number of tokens by which the head has changed since the suffix was read.
    """

    tokens: tuple[int, ...]
    state: bytearray
    head: int = 0
    age: int = 0


class Shelf:
    """An LRU list of KV states. If there are too many, the least recently used one is dropped."""

    def __init__(self, room: int = ROOM):
        """Makes an empty list. `room` is the most bytes of all states together."""
        self._room = room
        self._kept: list[Kept] = []

    def put(self, fresh: Kept) -> None:
        """Adds a state; removes an older state of the same place."""
        self._kept = [old for old in self._kept if not _same_place(old, fresh)]
        self._kept.append(fresh)
        del self._kept[:-MOST]
        while len(self._kept) > 1 and sum(len(one.state) for one in self._kept) > self._room:
            del self._kept[0]

    def all(self) -> list[Kept]:
        """Gives all states, the most recently used last."""
        return list(self._kept)

    def take(self, prompt: Sequence[int], more_than: int) -> Kept | None:
        """Removes and gives the state whose tokens share the longest prefix with `prompt`.

        None if no shared prefix has more than `more_than` tokens. The caller restores the state.
        """
        best, longest = None, more_than
        for one in self._kept:
            common = common_prefix(one.tokens, prompt)
            if common > longest:
                best, longest = one, common
        if best is not None:
            self._kept.remove(best)
        return best


def _same_place(old: Kept, fresh: Kept) -> bool:
    return common_prefix(old.tokens, fresh.tokens) >= len(old.tokens) - SAME_PLACE


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """Counts the tokens in the longest common prefix of two sequences."""
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:  # the usual case, and much faster
        return shorter
    for place, (left, right) in enumerate(zip(one, other)):
        if left != right:
            return place
    return min(len(one), len(other))
