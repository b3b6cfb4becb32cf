"""One token sequence in a KV cache: evaluates only new tokens, and saves replaced states.

Prompts are read in chunks; a cancel is noticed between two chunks. The logits after the latest
tokens are kept. Since token healing cuts off the word being typed, the prompt stays the same while
that word grows. So its kept logits give the answer's first token without an eval.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence as Tokens
from contextlib import contextmanager
from typing import Any

from cachetools import LRUCache

from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.backends.base import Aborted, Backend
from mistral_lsp.inference.shelf import Kept, Shelf, common_prefix
from mistral_lsp.inference.threads import Threads

ABORTABLE_CHUNK_SECONDS = 0.1
"""Duration of a chunk that can be aborted.

An abort loses no more than this, so that prompts progress even while a user types.
"""
CHUNK_SECONDS = 0.025
"""Duration of a chunk if the backend can't abort: a cancel is noticed within this time."""
SMALLEST_CHUNK = 4
SMALLEST_ABORTABLE_CHUNK = 32
WORTH_KEEPING = 64
"""Minimum number of tokens in a saved state. To read fewer tokens again takes about as long as to
save and restore their state.
"""
REMEMBERED_LOGITS = 32
"""The number of positions whose logits are kept: 4 MB with Mistral's vocabulary."""


class Sequence:
    """One KV cache and the tokens in it. Used by one thread at a time."""

    _worth_keeping = WORTH_KEEPING
    """Minimum number of tokens for which a state is saved, and for which it is restored."""

    def __init__(
        self,
        backend: Backend,
        threads: int = 1,
        reading_rate: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
    ):
        """An idle machine reads `reading_rate` tokens a second with `threads` threads.

        A `reading_rate` of 0 means unknown. The size of chunks and the number of threads depend on
        times from `clock`, in seconds. With a constant clock, they are the same in every run, and
        so is all rounding.
        """
        self.backend = backend
        backend.rewind(0)  # drops others' tokens, such as a measurement's
        self._held: list[int] = []
        self._logits: LRUCache[int, Any] = LRUCache(REMEMBERED_LOGITS)
        self._shelf = Shelf()
        self._clock = clock
        self._threads = Threads(threads, clock, reading_rate)
        self._computing = threads
        self._seconds = ABORTABLE_CHUNK_SECONDS if backend.can_abort else CHUNK_SECONDS
        self._smallest = SMALLEST_ABORTABLE_CHUNK if backend.can_abort else SMALLEST_CHUNK
        self._chunk = self._smallest
        self.evaluated = 0
        """The number of tokens evaluated so far."""

    # States

    def states(self) -> list[Kept]:
        """Gives the KV states of recent prompts, the last used one last; [] without `can_save`."""
        if self.backend.can_save and len(self._held) > self._worth_keeping:
            self._shelf.put(self._kept())
        return self._shelf.all()

    def remember(self, states: Tokens[Kept]) -> None:
        """Takes over the states that an earlier process has saved."""
        for kept in states if self.backend.can_save else ():
            self._shelf.put(kept)

    def _kept(self) -> Kept:
        return Kept(tuple(self._held), self.backend.save())

    @contextmanager
    def kept_sound(self) -> Iterator[None]:
        """Clears the KV cache if the `with` block fails, since the content is then unknown."""
        try:
            yield
        except BaseException:
            self.clear()
            raise

    def clear(self) -> None:
        """Empties the KV cache."""
        self.backend.rewind(0)
        self._held.clear()
        self._logits.clear()

    # Evaluating

    def read(
        self, prompt: PromptTokens, cancelled: Callable[[], bool], in_pause: bool = False
    ) -> Any:
        """Gives the logits after a prompt; restores a saved state if that helps. None: cancelled.

        `in_pause` means that nobody waits for the answer.
        """
        del in_pause  # this class postpones no work to a pause
        if self.backend.can_save:
            self._change_place(prompt.ids)
        return self.logits_behind(prompt.ids, cancelled)

    def logits_behind(
        self, tokens: Tokens[int], cancelled: Callable[[], bool] | None = None
    ) -> Any:
        """Gives the logits after `tokens`; evaluates those that the cache lacks. None: cancelled.

        Without `cancelled`, they are evaluated in the largest chunks.
        """
        common = common_prefix(self._held, tokens)
        if common == len(tokens) and common in self._logits:
            return self._logits[common]
        # The last token is always evaluated, since its logits are needed.
        self._forget(min(common, len(tokens) - 1))
        logits = None
        while len(self._held) < len(tokens):
            if cancelled is not None and cancelled():
                return None
            start = len(self._held)
            end = start + (self._chunk if cancelled else self.backend.largest_chunk)
            logits = self._eval(tokens[start:end])
            if logits is None:
                return None
        return self._remembered(logits)

    def _remembered(self, logits: Any) -> Any:
        place = len(self._held)
        self._logits[place] = logits.copy()  # the backend reuses the array
        return self._logits[place]

    def _forget(self, kept: int) -> None:
        """Drops all but the first `kept` tokens from the cache."""
        if kept < len(self._held):
            del self._held[self.backend.rewind(kept) :]
        for past in [past for past in self._logits if past > len(self._held)]:
            del self._logits[past]

    def _change_place(self, prompt: Tokens[int], lost: int | None = None) -> None:
        """Saves the cache's state to the shelf if `prompt` would overwrite much of it.

        `lost` is the number of cached tokens to be overwritten. By default, these are all after the
        common prefix with `prompt`. Restores a state from the shelf if its tokens share a longer
        prefix with `prompt` than the cache's tokens do.
        """
        common = common_prefix(self._held, prompt)
        kept = self._shelf.take(prompt, common + self._worth_keeping)
        if (len(self._held) - common if lost is None else lost) > self._worth_keeping:
            self._shelf.put(self._kept())
        if kept is not None:
            self._restore(kept)

    def _restore(self, kept: Kept) -> None:
        restored = self.backend.restore(kept.state)
        self._held = list(kept.tokens) if restored else []
        self._logits.clear()

    def _eval(self, tokens: Tokens[int]) -> Any:
        """Evaluates tokens after those in the cache; gives the logits, or None if aborted."""
        logits = self._eval_after(len(self._held), tokens)
        if logits is not None:
            self._held.extend(tokens)
        return logits

    def _eval_after(self, past: int, tokens: Tokens[int]) -> Any:
        """Evaluates tokens after the current branch's first `past`; gives logits; None: aborted."""
        started = self._clock()
        chosen = self._threads.choose(len(tokens))
        if chosen != self._computing:
            self.backend.use_threads(chosen)
            self._computing = chosen
        try:
            logits = self.backend.eval(tokens, past)
        except Aborted:
            self._threads.gave_up(len(tokens), self._clock() - started)
            if self.backend.rewind(past) < past:
                self.clear()
            return None
        self.evaluated += len(tokens)
        took = max(self._clock() - started, 1e-6)
        if len(tokens) >= self._smallest:
            fitting = int(self._seconds / took * len(tokens))
            self._chunk = max(self._smallest, min(self.backend.largest_chunk, fitting))
        self._threads.took(len(tokens), took)
        return logits
