"""The protocol of a backend: the primitives of one inference library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Aborted(Exception):
    """An eval was stopped in the middle by `Backend.abort`."""


class Backend(Protocol):
    """The primitives of one inference library, over one sequence with one KV cache.

    Used by one thread at a time; during `eval`, others may only `abort` it or read the vocabulary.
    """

    name: str
    largest_chunk: int
    """How many tokens one `eval` may take."""
    can_abort: bool
    """Whether `abort` stops a running eval; elsewhere a cancel is heard between chunks only."""
    can_save: bool
    """Whether `save` and `restore` work; elsewhere a prompt that was left is read anew."""

    def tokenize(self, text: bytes) -> list[int]:
        """The tokens of UTF-8 text: nothing added before it, no special tokens parsed in it."""

    def token_bytes(self, token: int) -> bytes:
        """The bytes of a token; incomplete UTF-8 where it is a piece of a character."""

    def vocabulary_size(self) -> int:
        """How many tokens there are."""

    def eval(self, tokens: Sequence[int], past: int) -> Any:
        """Evaluates tokens behind the first `past` ones and gives the last one's logits.

        The logits are a float32 array of shape (vocabulary,), valid until the next eval.
        Raises Aborted, after which the cache holds just the first `past` tokens for certain.
        """

    def rewind(self, past: int) -> None:
        """Forgets all but the first `past` tokens."""

    def abort(self, wanted: bool) -> None:
        """Asks a running eval to stop, or (False) lets later ones run."""

    def use_threads(self, count: int) -> None:
        """Lets later evals compute with `count` threads."""

    def save(self) -> bytearray:
        """What the KV cache holds, copied once: a cancel is not heard meanwhile."""

    def restore(self, state: bytearray) -> bool:
        """Makes the KV cache hold what `save` gave; where it can't, False, and it holds nothing."""
