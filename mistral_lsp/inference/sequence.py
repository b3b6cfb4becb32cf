"""One sequence of tokens in a KV cache: evaluates only what is new, and shelves what it leaves.

Prompts are read in chunks, so that a cancel is heard between them. The logits behind the latest
tokens are remembered: an answer that begins otherwise, for another character of a word, needs no
eval.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence as Tokens
from contextlib import contextmanager
from typing import Any

from mistral_lsp.inference.backends.base import Aborted, Backend
from mistral_lsp.inference.shelf import Kept, Shelf, common_prefix
from mistral_lsp.inference.threads import Threads

ABORTABLE_CHUNK_SECONDS = 0.1
"""What an abort throws away at most, so that a prompt makes progress while somebody types."""
CHUNK_SECONDS = 0.025
"""How long a cancel may have to wait where an eval can't be aborted."""
SMALLEST_CHUNK = 4
SMALLEST_ABORTABLE_CHUNK = 32
WORTH_KEEPING = 64
"""Tokens. Reading fewer anew costs hardly more than saving and restoring a state."""
REMEMBERED_LOGITS = 32
"""Tokens behind which the logits are remembered: 4 MB with Mistral's vocabulary."""


class Sequence:
    """What one KV cache holds. Used by one thread at a time."""

    def __init__(
        self,
        backend: Backend,
        threads: int = 1,
        reading_rate: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
    ):
        """`threads` compute on a quiet machine, which then reads `reading_rate` tokens a second.

        `clock`, in seconds, sizes the chunks and chooses the threads; one that stands still makes
        them, and so every rounding, the same on every run.
        """
        self.backend = backend
        backend.rewind(0)  # of what others read before, as to measure the machine
        self._held: list[int] = []
        self._logits: OrderedDict[int, Any] = OrderedDict()
        self._shelf = Shelf()
        self._clock = clock
        self._threads = Threads(threads, clock, reading_rate)
        self._computing = threads
        self._seconds = ABORTABLE_CHUNK_SECONDS if backend.can_abort else CHUNK_SECONDS
        self._smallest = SMALLEST_ABORTABLE_CHUNK if backend.can_abort else SMALLEST_CHUNK
        self._chunk = self._smallest
        self.evaluated = 0
        """Tokens that were evaluated since the beginning."""

    # What it holds

    def states(self) -> list[Kept]:
        """What was read at the latest places, the last used last; only where states can be kept."""
        if self.backend.can_save and len(self._held) > WORTH_KEEPING:
            self._shelf.put(self._held, self.backend.save())
        return self._shelf.all()

    def remember(self, states: Tokens[Kept]) -> None:
        """Takes in what `states` gave in an earlier life."""
        for kept in states if self.backend.can_save else ():
            self._shelf.put(kept.tokens, kept.state)

    @contextmanager
    def kept_sound(self) -> Iterator[None]:
        """Forgets all that was read where what is done within fails: nobody knows then what the
        cache holds.
        """
        try:
            yield
        except BaseException:
            self.backend.rewind(0)
            self._held.clear()
            self._logits.clear()
            raise

    # Evaluating

    def read(self, prompt: Tokens[int], cancelled: Callable[[], bool]) -> Any:
        """The logits behind a prompt, maybe of another place; None where it was cancelled."""
        if self.backend.can_save:
            self._change_place(prompt)
        return self.logits_behind(prompt, cancelled)

    def logits_behind(
        self, tokens: Tokens[int], cancelled: Callable[[], bool] | None = None
    ) -> Any:
        """The logits behind tokens, of which only those are evaluated that the cache does not hold:
        all at once, or in chunks where somebody may cancel. None where that happened.
        """
        common = common_prefix(self._held, tokens)
        if common == len(tokens) and common in self._logits:
            return self._logits[common]
        # The last token is evaluated even where it is held, since its logits are what is wanted.
        self._forget(min(common, len(tokens) - 1))
        logits = None
        while len(self._held) < len(tokens):
            if cancelled is not None and cancelled():
                return None
            start = len(self._held)
            end = len(tokens) if cancelled is None else start + self._chunk
            logits = self._eval(tokens[start:end])
            if logits is None:
                return None
        return self._remembered(logits)

    def _remembered(self, logits: Any) -> Any:
        place = len(self._held)
        self._logits[place] = logits.copy()  # the backend will write the next ones there
        if len(self._logits) > REMEMBERED_LOGITS:
            self._logits.popitem(last=False)
        return self._logits[place]

    def _forget(self, kept: int) -> None:
        """Keeps the first tokens only of what the cache holds."""
        if kept < len(self._held):
            self.backend.rewind(kept)
            del self._held[kept:]
        for past in [past for past in self._logits if past > kept]:
            del self._logits[past]

    def _change_place(self, prompt: Tokens[int]) -> None:
        """Puts what the cache holds on the shelf, where much of it would be lost to `prompt`, and
        takes from there what serves `prompt` better.
        """
        common = common_prefix(self._held, prompt)
        kept = self._shelf.take(prompt, common + WORTH_KEEPING)
        if len(self._held) - common > WORTH_KEEPING:
            self._shelf.put(self._held, self.backend.save())
        if kept is not None:
            restored = self.backend.restore(kept.state)
            self._held = list(kept.tokens) if restored else []
            self._logits.clear()

    def _eval(self, tokens: Tokens[int]) -> Any:
        """The logits behind tokens that follow what is held; None where that was aborted."""
        started = self._clock()
        past = len(self._held)
        chosen = self._threads.choose(len(tokens))
        if chosen != self._computing:
            self.backend.use_threads(chosen)
            self._computing = chosen
        try:
            logits = self.backend.eval(tokens, past)
        except Aborted:
            self._threads.gave_up(len(tokens), self._clock() - started)
            self.backend.rewind(past)
            return None
        self._held.extend(tokens)
        self.evaluated += len(tokens)
        took = max(self._clock() - started, 1e-6)
        if len(tokens) >= self._smallest:
            fitting = int(self._seconds / took * len(tokens))
            self._chunk = max(self._smallest, min(self.backend.largest_chunk, fitting))
        self._threads.took(len(tokens), took)
        return logits
