"""Decoding for every backend: greedy, or a best-first search for the most probable line.

Both give each token's probability. Both force the answer to begin with the owed bytes, which are
the bytes that token healing has cut off the prompt.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence as Tokens
from typing import Any

import numpy

from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.search import Choice, Line, Search
from mistral_lsp.inference.sequence import Sequence
from mistral_lsp.types import Usage

CHOICES = 2
"""How many of the most probable tokens a search tries at each position."""


def nothing_known(owed: bytes) -> Tokens[int]:
    """Gives no tokens. It is the `beginning` of a `Decoder` without token healing."""
    return ()


class Decoder:
    """Generates answers with one model. Used by one thread at a time."""

    def __init__(
        self,
        sequence: Sequence,
        ends: frozenset[int],
        beginning: Callable[[bytes], Any] = nothing_known,
    ):
        """`ends` are the tokens that end an answer.

        `beginning` gives the tokens that may start an answer, for the bytes that it must begin
        with.
        """
        self._backend = sequence.backend
        self._sequence = sequence
        self._ends = ends
        self._beginning = beginning
        self._uncounted = 0
        self.usage = Usage()

    def write(
        self,
        prompt: PromptTokens,
        max_tokens: int,
        cancelled: Callable[[], bool],
        line: int | None = None,
    ) -> Iterator[tuple[str, float]]:
        """Yields the text and probability of each token, as `generate` does with bytes.

        A token's text is "" while a character is incomplete. Invalid UTF-8 ends the answer.
        """
        characters = codecs.getincrementaldecoder("utf-8")()
        for piece, probability in self.generate(prompt, max_tokens, cancelled, line):
            try:
                text = characters.decode(piece)
            except UnicodeDecodeError:
                return
            yield text, probability

    def generate(
        self,
        prompt: PromptTokens,
        max_tokens: int,
        cancelled: Callable[[], bool],
        line: int | None = None,
    ) -> Iterator[tuple[bytes, float]]:
        """Yields (bytes, probability) until an end token, `max_tokens`, or a cancel.

        The answer is forced to begin with the owed bytes, which are not yielded. With `line` n, it
        begins with the n-th most probable line that a search finds. `usage` includes the search's
        tokens, and is up to date even after a cancel.
        """
        self.usage = Usage(prompt_tokens=len(prompt.ids))
        if max_tokens == 0:
            self._read(prompt, cancelled, in_pause=True)
            return
        unsaid = len(prompt.owed)
        for token, probability in self._tokens(prompt, max_tokens, cancelled, line):
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
        prompt: PromptTokens,
        max_tokens: int,
        cancelled: Callable[[], bool],
        line: int | None,
    ) -> Iterator[Choice]:
        logits = self._read(prompt, cancelled)
        said, owed = list(prompt.ids), prompt.owed
        if line is not None and logits is not None:
            found = self._find_line(line, said, max_tokens, cancelled, owed)
            if not found.choices:
                return
            yield from found.choices
            owed = owed[sum(len(self._backend.token_bytes(token)) for token in found.tokens()) :]
            said += found.tokens()
            logits = self._logits_behind(said)
        while logits is not None:
            token, probability = self._choose(logits, owed, 1)[0]
            yield token, probability
            owed = owed[len(self._backend.token_bytes(token)) :]
            said.append(token)
            logits = self._sequence.logits_behind(said)

    def _find_line(
        self,
        place: int,
        prompt: list[int],
        max_tokens: int,
        cancelled: Callable[[], bool],
        owed: bytes,
    ) -> Line:
        def written(tokens: Tokens[int]) -> bytes:
            return b"".join(map(self._backend.token_bytes, tokens))

        def logits_behind(tokens: Tokens[int]) -> Any:
            return None if cancelled() else self._logits_behind([*prompt, *tokens])

        def choose(logits: Any, tokens: Tokens[int]) -> list[Choice]:
            return self._choose(logits, owed[len(written(tokens)) :], CHOICES)

        def is_over(tokens: Tokens[int]) -> bool:
            line = written(tokens)[len(owed) :].lstrip(b"\r\n")
            return tokens[-1] in self._ends or b"\n" in line

        return Search(logits_behind, choose, is_over, max_tokens).run(place) or Line()

    def _choose(self, logits: Any, owed: bytes, most: int) -> list[Choice]:
        """Gives the `most` most probable tokens. If bytes are `owed`, only tokens that fit them."""
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

    def _read(
        self, prompt: PromptTokens, cancelled: Callable[[], bool], in_pause: bool = False
    ) -> Any:
        """Evaluates the prompt; updates `usage` after each chunk. Gives the last token's logits."""
        self._uncounted = self._sequence.evaluated

        def is_over() -> bool:
            self._count_evaluated()
            return cancelled()

        logits = self._sequence.read(prompt, is_over, in_pause)
        self._count_evaluated()
        return logits

    def _logits_behind(self, tokens: Tokens[int]) -> Any:
        """Gives the logits after `tokens`, and adds the newly evaluated tokens to `usage`."""
        self._uncounted = self._sequence.evaluated
        logits = self._sequence.logits_behind(tokens)
        self._count_evaluated()
        return logits

    def _count_evaluated(self) -> None:
        fresh = self._sequence.evaluated - self._uncounted
        self._uncounted = self._sequence.evaluated
        self._count(evaluated=fresh)

    def _count(self, evaluated: int = 0, generated: int = 0) -> None:
        self.usage = Usage(
            self.usage.prompt_tokens,
            self.usage.evaluated_tokens + evaluated,
            self.usage.generated_tokens + generated,
        )
