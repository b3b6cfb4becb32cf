"""The protocol of a backend: the primitives of one inference library."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable


class Aborted(Exception):
    """Raised when `Backend.abort` has stopped an eval."""


class Backend(Protocol):
    """The primitives of one inference library: one token sequence in one KV cache.

    Only one thread at a time uses a backend. During an `eval`, other threads may call `abort` or
    read the vocabulary.
    """

    name: str
    largest_chunk: int
    """The most tokens of one `eval`."""
    can_abort: bool
    """Whether `abort` stops a running eval. If not, a cancel is noticed only between chunks."""
    can_rewind: bool = True
    """Whether `rewind` can keep some tokens. Recurrent layers can't: they hold only one state."""
    can_save: bool
    """Whether `save` and `restore` work. If not, a prompt is reread when the user returns to it."""
    can_give_every: bool = False
    """Whether `eval` can give the logits after each of its tokens."""

    def tokenize(self, text: bytes) -> list[int]:
        """Tokenises UTF-8 text, without adding a prefix or parsing special tokens."""

    def token_bytes(self, token: int) -> bytes:
        """Gives a token's bytes, which may be only a part of a character in UTF-8."""

    def vocabulary_size(self) -> int:
        """Gives the number of tokens in the vocabulary."""

    def eval(self, tokens: Sequence[int], past: int, every: bool = False) -> Any:
        """Evaluates tokens after the first `past` cached ones; gives the last token's logits.

        The logits are a float32 array of shape (vocabulary,), valid until the next eval. With
        `every`, they are those after each token, of shape (tokens, vocabulary); this needs
        `can_give_every`. Raises Aborted; then only the first `past` tokens in the cache are valid.
        """

    def rewind(self, past: int) -> int:
        """Removes all but the first `past` tokens from the cache; gives the number of tokens left.

        Without `can_rewind`, none are left, unless the cache holds exactly `past` tokens.
        """

    def abort(self, wanted: bool) -> None:
        """With True, asks a running eval to stop. With False, lets later evals run again."""

    def use_threads(self, count: int) -> None:
        """Sets the number of threads for later evals."""

    def save(self) -> bytearray:
        """Gives a copy of the KV cache. During the copying, a cancel is not noticed."""

    def restore(self, state: bytearray) -> bool:
        """Loads a saved state into the KV cache. False: loading failed, and the cache is empty."""


@runtime_checkable
class Branching(Backend, Protocol):
    """A backend whose KV cache can hold several sequences, called branches, that share cells.

    `eval`, `rewind`, `save` and `restore` work on the current branch, which is 0 at first.
    """

    branch: int

    def make_branches(self, count: int, more: int) -> bool:
        """Empties the cache, and makes room for `count` branches and `more` additional tokens.

        False: this model's cache can have only one branch.
        """

    def copy(self, source: int, target: int, end: int) -> None:
        """Shares the first `end` tokens of branch `source` with branch `target`."""

    def cut(self, branch: int, start: int, end: int) -> None:
        """Removes a branch's tokens from position `start` to before `end`; -1: to the last one."""

    def shift(self, branch: int, start: int, by: int) -> None:
        """Adds `by` to the positions of a branch's tokens from `start` on, at the next eval."""

    def unstoppable(self) -> AbstractContextManager[None]:
        """Makes evals in the `with` block ignore `abort`."""
