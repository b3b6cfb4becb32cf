"""Keeps the states of prompts that the KV cache had to leave: going back costs no reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROOM = 256 * 1024 * 1024
"""Bytes that all states may have together; the newest is kept even where it is larger."""
MOST = 16
"""States, however small, so that short files don't go on filling the room all day."""
SAME_PLACE = 64
"""Tokens by which two states of one place differ at most, as after some typing."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The tokens that a state was made of, and the state as the backend gave it."""

    tokens: tuple[int, ...]
    state: bytearray


class Shelf:
    """States in the order of their use; the least recently used goes when the room is full."""

    def __init__(self, room: int = ROOM):
        """Starts empty; `room` is in bytes."""
        self._room = room
        self._kept: list[Kept] = []

    def put(self, tokens: Sequence[int], state: bytearray) -> None:
        """Keeps a state, in place of an older one of the same place."""
        fresh = Kept(tuple(tokens), state)
        self._kept = [old for old in self._kept if not _same_place(old, fresh)]
        self._kept.append(fresh)
        del self._kept[:-MOST]
        while len(self._kept) > 1 and sum(len(one.state) for one in self._kept) > self._room:
            del self._kept[0]

    def all(self) -> list[Kept]:
        """All states, the last used last."""
        return list(self._kept)

    def take(self, prompt: Sequence[int], more_than: int) -> Kept | None:
        """The state that begins like `prompt` for longest, if for more than `more_than` tokens.

        It leaves the shelf, since the KV cache now holds it.
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
    """How many tokens the two begin with in common."""
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:  # mostly, and much faster
        return shorter
    for place, (left, right) in enumerate(zip(one, other)):
        if left != right:
            return place
    return min(len(one), len(other))
