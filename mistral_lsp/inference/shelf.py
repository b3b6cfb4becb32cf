"""An LRU cache of prompts' KV states, so that returning to a place in a file needs no reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROOM = 256 * 1024 * 1024
"""Most bytes of all states together; the newest is kept even if it is larger."""
MOST = 16
"""Most states. Small ones would otherwise accumulate all day."""
SAME_PLACE = 64
"""Tokens. States that differ by at most this, as after some typing, are of the same place."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A state in the backend's format, and the tokens it was made of.

    `head` is the number of tokens before the suffix. It is 0 if the suffix is not after the prefix.
    """

    tokens: tuple[int, ...]
    state: bytearray
    head: int = 0


class Shelf:
    """The LRU list of states; the least recently used is dropped when there are too many."""

    def __init__(self, room: int = ROOM):
        """Starts empty; `room` is in bytes."""
        self._room = room
        self._kept: list[Kept] = []

    def put(self, fresh: Kept) -> None:
        """Adds a state; replaces an older one of the same place."""
        self._kept = [old for old in self._kept if not _same_place(old, fresh)]
        self._kept.append(fresh)
        del self._kept[:-MOST]
        while len(self._kept) > 1 and sum(len(one.state) for one in self._kept) > self._room:
            del self._kept[0]

    def all(self) -> list[Kept]:
        """Gives all states, the most recently used last."""
        return list(self._kept)

    def take(self, prompt: Sequence[int], more_than: int) -> Kept | None:
        """Removes and gives the state with the longest prefix in common with `prompt`.

        None if no common prefix has more than `more_than` tokens. The caller restores the state.
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
    """Counts the tokens of the longest common prefix."""
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:  # the usual case, and much faster
        return shorter
    for place, (left, right) in enumerate(zip(one, other)):
        if left != right:
            return place
    return min(len(one), len(other))
