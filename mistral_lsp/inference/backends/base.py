"""The protocol of a backend: the primitives of one inference library."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable


class Aborted(Exception):
    """An eval was stopped in the middle by `Backend.abort`."""


class Backend(Protocol):
    """The primitives of one inference library, over one sequence with one KV cache.

    Used by one thread at a time; during `eval`, others may only `abort` it or read the vocabulary.
    """

    name: str
    largest_chunk: int
    """Most tokens of one `eval`."""
    can_abort: bool
    """Whether `abort` stops a running eval. If not, a cancel is noticed only between chunks."""
    can_rewind: bool = True
    """Whether `rewind` can keep a part. Recurrent layers hold only the state after all tokens."""
    can_save: bool
    """Whether `save` and `restore` work. If not, a prompt is read again after a change of place."""

    def tokenize(self, text: bytes) -> list[int]:
        """Tokenises UTF-8 text, without adding a prefix or parsing special tokens."""

    def token_bytes(self, token: int) -> bytes:
        """Gives a token's bytes; incomplete UTF-8 if it is part of a character."""

    def vocabulary_size(self) -> int:
        """Gives the number of tokens in the vocabulary."""

    def eval(self, tokens: Sequence[int], past: int) -> Any:
        """Evaluates tokens after the first `past` ones and gives the last one's logits.

        The logits are a float32 array of shape (vocabulary,), valid until the next eval. Raises
        Aborted; then only the first `past` tokens of the cache are certain.
        """

    def rewind(self, past: int) -> int:
        """Forgets all but the first `past` tokens; gives the number of tokens left.

        Without `can_rewind`, none are left unless `past` is the number held.
        """

    def abort(self, wanted: bool) -> None:
        """Asks a running eval to stop; with False, lets later ones run."""

    def use_threads(self, count: int) -> None:
        """Lets later evals compute with `count` threads."""

    def save(self) -> bytearray:
        """Gives a copy of the KV cache. A cancel is not noticed meanwhile."""

    def restore(self, state: bytearray) -> bool:
        """Loads a saved state into the KV cache. False: that failed, and the cache is empty."""


@runtime_checkable
class Branching(Backend, Protocol):
    """A backend whose KV cache can hold several sequences, its branches, over shared cells.

    `eval`, `rewind`, `save` and `restore` work on the current branch, which is 0 at first.
    """

    branch: int

    def make_branches(self, count: int, more: int) -> bool:
        """Empties the cache, and makes room for `count` branches and `more` tokens.

        False: this model's cache has one branch only, as before.
        """

    def copy(self, source: int, target: int, end: int) -> None:
        """Lets a branch also have the first `end` tokens of another one."""

    def cut(self, branch: int, start: int, end: int) -> None:
        """Removes the tokens of a branch at places from `start` to before `end`; -1: to its end."""

    def shift(self, branch: int, start: int, by: int) -> None:
        """Moves the tokens of a branch from `start` on by some places; the next eval does it."""

    def unstoppable(self) -> AbstractContextManager[None]:
        """Lets no `abort` stop the evals of its block."""
