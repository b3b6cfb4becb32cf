"""The generation loop, written once for every backend.

Keeps what the KV cache holds and evaluates only what is new; reads prompts in chunks so that a
cancel is heard between them; decodes greedily and tells how sure the model was of each token. What
was read at another place waits on the shelf. What the model said at the latest tokens is
remembered, so that an answer that begins otherwise, for another character of a word, needs no eval
for it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy

from mistral_lsp.inference.backends.base import Aborted, Backend
from mistral_lsp.inference.search import Choice, Line, Search
from mistral_lsp.inference.shelf import Kept, Shelf, common_prefix
from mistral_lsp.inference.threads import Threads
from mistral_lsp.types import Usage

ABORTABLE_CHUNK_SECONDS = 0.1
"""What an abort throws away at most, so that a prompt makes progress while somebody types."""
CHUNK_SECONDS = 0.025
"""How long a cancel may have to wait where an eval can't be aborted."""
SMALLEST_CHUNK = 4
SMALLEST_ABORTABLE_CHUNK = 32
WORTH_KEEPING = 64
"""Tokens. Reading fewer anew costs hardly more than saving and restoring a state."""
CHOICES = 2
"""Tokens at each place that may begin a line in a search."""
REMEMBERED_LOGITS = 32
"""Tokens behind which the logits are remembered: 4 MB with Mistral's vocabulary."""


class Loop:
    """One model's KV cache and the loop over it. Used by one thread at a time."""

    def __init__(
        self,
        backend: Backend,
        ends: frozenset[int],
        threads: int = 1,
        reading_rate: float = 0.0,
        beginning: Callable[[bytes], Any] = lambda owed: (),
        clock: Callable[[], float] = time.perf_counter,
    ):
        """`ends` are the tokens at which an answer is over; `threads` compute on a quiet machine,
        which then reads `reading_rate` tokens of a prompt in a second. `beginning` gives the tokens
        that an answer may begin with where it has to begin with some bytes.

        `clock`, in seconds, sizes the chunks and chooses the threads; one that stands still makes
        them, and so every rounding, the same on every run.
        """
        self._backend = backend
        self._ends = ends
        self._clock = clock
        self._beginning = beginning
        backend.rewind(0)  # of what others read before, as to measure the machine
        self._held: list[int] = []
        self._at = 0
        self._logits: OrderedDict[int, Any] = OrderedDict()
        self._shelf = Shelf()
        self._threads = Threads(threads, clock, reading_rate)
        self._computing = threads
        self._seconds = ABORTABLE_CHUNK_SECONDS if backend.can_abort else CHUNK_SECONDS
        self._smallest = SMALLEST_ABORTABLE_CHUNK if backend.can_abort else SMALLEST_CHUNK
        self._chunk = self._smallest
        self.usage = Usage()

    def states(self) -> list[Kept]:
        """What was read at the latest places, the last used last; only where states can be kept."""
        if self._backend.can_save and len(self._held) > WORTH_KEEPING:
            self._shelf.put(self._held, self._backend.save())
        return self._shelf.all()

    def remember(self, states: Sequence[Kept]) -> None:
        """Takes in what `states` gave in an earlier life."""
        for kept in states if self._backend.can_save else ():
            self._shelf.put(kept.tokens, kept.state)

    @contextmanager
    def kept_sound(self) -> Iterator[None]:
        """Forgets all that was read where what is done within fails: nobody knows then what the
        cache holds.
        """
        try:
            yield
        except BaseException:
            self._backend.rewind(0)
            self._held.clear()
            self._logits.clear()
            raise

    def generate(
        self,
        prompt: Sequence[int],
        max_tokens: int,
        cancelled: Callable[[], bool],
        owed: bytes = b"",
        line: int = 0,
    ) -> Iterator[tuple[bytes, float]]:
        """Yields (bytes, probability) until an end token, `max_tokens`, or a cancel.

        The answer begins with `owed`, which is not given. Where `line` is not 0, it begins with the
        line at that place in the order of likelihood, of those that a search finds; what that
        evaluates counts as evaluated. `usage` is right at every moment, also after a cancel.
        """
        self.usage = Usage(prompt_tokens=len(prompt))
        if max_tokens == 0:
            self._prefill(prompt, cancelled)
            return
        unsaid = len(owed)
        for token, probability in self._tokens(prompt, max_tokens, cancelled, owed, line):
            if token in self._ends:
                return
            self._count(generated=1)
            piece = self._backend.token_bytes(token)
            fresh, unsaid = piece[unsaid:], max(0, unsaid - len(piece))
            if fresh:
                yield fresh, probability
            if cancelled() or self.usage.generated_tokens == max_tokens:
                return

    def _tokens(
        self,
        prompt: Sequence[int],
        max_tokens: int,
        cancelled: Callable[[], bool],
        owed: bytes,
        line: int,
    ) -> Iterator[Choice]:
        logits = self._prefill(prompt, cancelled)
        if line and logits is not None:
            found = self._find_line(line, prompt, max_tokens, cancelled, owed)
            if not found.choices:
                return
            yield from found.choices
            owed = owed[sum(len(self._backend.token_bytes(token)) for token in found.tokens()) :]
            logits = self._logits_behind(len(prompt), found.tokens())
        while logits is not None:
            token, probability = self._choose(logits, owed, 1)[0]
            yield token, probability
            owed = owed[len(self._backend.token_bytes(token)) :]
            logits = self._step(token)

    def _find_line(
        self,
        place: int,
        prompt: Sequence[int],
        max_tokens: int,
        cancelled: Callable[[], bool],
        owed: bytes,
    ) -> Line:
        def written(tokens: Sequence[int]) -> bytes:
            return b"".join(map(self._backend.token_bytes, tokens))

        def logits_behind(tokens: Sequence[int]) -> Any:
            return None if cancelled() else self._logits_behind(len(prompt), tokens)

        def choose(logits: Any, tokens: Sequence[int]) -> list[Choice]:
            return self._choose(logits, owed[len(written(tokens)) :], CHOICES)

        def is_over(tokens: Sequence[int]) -> bool:
            line = written(tokens)[len(owed) :].lstrip(b"\r\n")
            return tokens[-1] in self._ends or b"\n" in line

        return Search(logits_behind, choose, is_over, max_tokens).run(place) or Line()

    def _choose(self, logits: Any, owed: bytes, most: int) -> list[Choice]:
        """The likeliest tokens, of those that begin with or within `owed`; the likeliest first."""
        allowed = self._beginning(owed) if owed else ()
        if len(allowed):
            logits = logits[allowed]
        best = int(logits.argmax())
        total = float(numpy.exp(logits - logits[best]).sum())
        found = [best]
        if most > 1:
            most = min(most, len(logits))
            found = numpy.argpartition(-logits, range(most))[:most].tolist()
        return [
            (
                int(allowed[place]) if len(allowed) else place,
                float(numpy.exp(logits[place] - logits[best])) / total,
            )
            for place in found
        ]

    def _prefill(self, prompt: Sequence[int], cancelled: Callable[[], bool]) -> Any:
        """The logits behind the prompt, or None where it was cancelled."""
        if self._backend.can_save:
            self._change_place(prompt)
        self._at = len(prompt)
        common = common_prefix(self._held, prompt)
        logits = self._logits.get(common) if common == len(prompt) else None
        if logits is not None:
            return logits
        # The last token is evaluated even where it is held, since its logits are what is wanted.
        self._forget(min(common, len(prompt) - 1))
        while len(self._held) < len(prompt):
            if cancelled():
                return None
            start = len(self._held)
            chunk = prompt[start : start + self._chunk]
            logits = self._eval(chunk)
            if logits is None:
                return None
            self._count(evaluated=len(chunk))
        return self._remember(logits)

    def _step(self, token: int) -> Any:
        """The logits behind one more token, or None where that was aborted."""
        following = self._held[self._at : self._at + 1]
        self._at += 1
        if following == [token] and self._at in self._logits:
            return self._logits[self._at]
        self._forget(self._at - 1)
        return self._remember(self._eval([token]))

    def _logits_behind(self, start: int, tokens: Sequence[int]) -> Any:
        """The logits behind some tokens that follow the first `start` ones; None where that was
        aborted.
        """
        same = common_prefix(self._held[start:], tokens)
        self._at = start + len(tokens)
        if same == len(tokens) and self._at in self._logits:
            return self._logits[self._at]
        kept = min(same, len(tokens) - 1)
        self._forget(start + kept)
        logits = self._eval(tokens[kept:])
        if logits is not None:
            self._count(evaluated=len(tokens) - kept)
        return self._remember(logits)

    def _remember(self, logits: Any) -> Any:
        if logits is None:
            return None
        self._logits[len(self._held)] = logits.copy()  # the backend will write the next ones there
        if len(self._logits) > REMEMBERED_LOGITS:
            self._logits.popitem(last=False)
        return self._logits[len(self._held)]

    def _forget(self, kept: int) -> None:
        """Keeps the first tokens only of what the cache holds."""
        if kept < len(self._held):
            self._backend.rewind(kept)
            del self._held[kept:]
        for past in [past for past in self._logits if past > kept]:
            del self._logits[past]

    def _change_place(self, prompt: Sequence[int]) -> None:
        """Puts what the cache holds on the shelf, where much of it would be lost to `prompt`, and
        takes from there what serves `prompt` better.
        """
        common = common_prefix(self._held, prompt)
        kept = self._shelf.take(prompt, common + WORTH_KEEPING)
        if len(self._held) - common > WORTH_KEEPING:
            self._shelf.put(self._held, self._backend.save())
        if kept is not None:
            restored = self._backend.restore(kept.state)
            self._held = list(kept.tokens) if restored else []
            self._logits.clear()

    def _eval(self, tokens: Sequence[int]) -> Any:
        started = self._clock()
        past = len(self._held)
        chosen = self._threads.choose(len(tokens))
        if chosen != self._computing:
            self._backend.use_threads(chosen)
            self._computing = chosen
        try:
            logits = self._backend.eval(tokens, past)
        except Aborted:
            self._threads.gave_up(len(tokens), self._clock() - started)
            self._backend.rewind(past)
            return None
        self._held.extend(tokens)
        took = max(self._clock() - started, 1e-6)
        if len(tokens) >= self._smallest:
            fitting = int(self._seconds / took * len(tokens))
            self._chunk = max(self._smallest, min(self._backend.largest_chunk, fitting))
        self._threads.took(len(tokens), took)
        return logits

    def _count(self, evaluated: int = 0, generated: int = 0) -> None:
        self.usage = Usage(
            self.usage.prompt_tokens,
            self.usage.evaluated_tokens + evaluated,
            self.usage.generated_tokens + generated,
        )
