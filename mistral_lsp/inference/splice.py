"""A sequence for prompts with the suffix last: a keystroke does not read the suffix again.

A keystroke changes the prefix. The suffix's KV cells depend on the prefix, but only a little. So
the sequence keeps the cells that it computed some keystrokes ago, and moves them to their new
positions (llama.cpp rotates them). It reads only the new tokens, the suffix's mark with some tokens
after it, and the mark after the suffix. The older the cells are, the more tokens at the suffix's
beginning are read anew. In a pause, the whole suffix is read anew.

Three branches of the KV cache share cells. ROOT holds the head: all tokens before the suffix's
mark. MAIN holds the head, the tail (the suffix's mark and the suffix), and the answer. SPARE is for
reading the tail anew, while MAIN keeps the old tail for the next keystroke.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence as Tokens
from dataclasses import dataclass, field, replace
from typing import Any

from typing_extensions import override

from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.backends.base import Branching
from mistral_lsp.inference.sequence import WORTH_KEEPING, Sequence
from mistral_lsp.inference.shelf import Kept, common_prefix

ROOT, MAIN, SPARE = BRANCHES = range(3)
FRESH = ((16, 2), (64, 16), (256, 48))
"""Pairs (age, fresh). Of a tail of at most this `age`, the first `fresh` tokens are reread."""
OLDEST = FRESH[-1][0]
"""Tokens. A tail whose `age` is greater is not reused, since the window must have changed."""
SHORTEST_TAIL = 8
"""Tokens. A shorter tail is read anew, since moving it would take as long."""
AT_ONCE = 16
"""The most head tokens read in one eval with the tail's beginning. No abort stops that eval."""
OUT_OF_DATE = 4
"""Tokens. A tail whose `age` is greater is read anew in a pause."""

NO_TOKEN = -1
Cancelled = Callable[[], bool]


@dataclass
class Tail:
    """The suffix and its mark in a branch.

    `tokens` begin at position `at`, and were evaluated after the tokens `head`. The first `fresh`
    of them are newer: at a move, they were evaluated after `fresh_head`.
    """

    tokens: list[int] = field(default_factory=list)
    at: int = 0
    head: list[int] = field(default_factory=list)
    fresh: int = 0
    fresh_head: list[int] = field(default_factory=list)

    def age(self, head: Tokens[int]) -> int:
        """Counts the tokens by which `head` differs from the heads that the tail was read after.

        The head that differs more counts.
        """
        heads = (self.head, self.fresh_head) if self.fresh else (self.head,)
        return max(len(one) + len(head) - 2 * common_prefix(one, head) for one in heads)

    def shared(self, tail: Tokens[int]) -> int:
        """Counts the tokens in the common prefix of this tail and another."""
        return common_prefix(self.tokens, tail)

    def is_part_of(self, tail: Tokens[int]) -> bool:
        """Whether this is the beginning of another tail, and shorter."""
        return len(self.tokens) < len(tail) and self.shared(tail) == len(self.tokens)

    def freshen(self, fresh: int, head: list[int]) -> None:
        """Records that the first `fresh` tokens are evaluated after `head`."""
        if fresh >= self.fresh:  # else some of them stay as they were after the older head
            self.fresh, self.fresh_head = fresh, head


class Splice(Sequence):
    """A sequence that moves the suffix in place of reading it; see the module."""

    _worth_keeping = 16  # a state also keeps its tail, or the progress of a pause
    _root: list[int]
    """The tokens in the branch ROOT."""
    _tail: Tail
    """The tail in the branch MAIN."""
    _spare: Tail
    """The tail in the branch SPARE, as far as it has been read."""

    def __init__(self, backend: Branching, *arguments: Any, **options: Any):
        """Takes the arguments of Sequence."""
        backend.branch = MAIN
        super().__init__(backend, *arguments, **options)
        self._branches = backend
        self.clear()  # drops others' tokens, such as a measurement's, from all branches

    @override
    def read(self, prompt: PromptTokens, cancelled: Cancelled, in_pause: bool = False) -> Any:
        places = prompt.suffix
        head, tail = prompt.ids[: places.start], prompt.ids[places.start : places.stop]
        if len(tail) < SHORTEST_TAIL:
            return self._read_whole(prompt, cancelled)
        if not in_pause and common_prefix(self._held, prompt.ids) >= places.stop:
            del self._tail.tokens[places.stop - self._tail.at :]  # what is overwritten now
            return self.logits_behind(prompt.ids, cancelled)
        if not self._is_of_use(head, tail):
            self._change_place(prompt.ids)
        elif self._is_elsewhere(head):
            lost = None if in_pause else len(self._root) - self._common_root(head)
            self._change_place(prompt.ids, lost)
        # In a pause the tail is read anew anyway, and in MAIN the progress outlives a key.
        if not self._is_of_use(head, tail) or (in_pause and self._is_elsewhere(head)):
            return self._read_whole(prompt, cancelled)
        if not self._lead_root(head, cancelled):
            return None
        # A tail that is half read is read to its end first: keys in between make it no older.
        is_old = self._tail.age(head) > OUT_OF_DATE and not self._tail.is_part_of(tail)
        if in_pause and is_old and not self._renew(head, tail, cancelled):
            return None
        if common_prefix(self._held, prompt.ids) < places.stop:
            self._move(head, tail)
        logits = self.logits_behind(prompt.ids, cancelled)
        self._tail.tokens = self._held[places.start : places.stop]
        return logits

    def _is_of_use(self, head: Tokens[int], tail: Tokens[int]) -> bool:
        """Whether MAIN's tail can be moved to after `head`, in place of reading `tail`."""
        return self._tail.shared(tail) >= SHORTEST_TAIL and self._tail.age(head) <= OLDEST

    def _is_elsewhere(self, head: Tokens[int]) -> bool:
        """Whether `head` is of another window, so that ROOT lacks much of it.

        After a paste, ROOT lacks much, too, but all that ROOT holds is still of use.
        """
        common = self._common_root(head)
        return common < len(self._root) and len(head) - common > WORTH_KEEPING

    def _common_root(self, head: Tokens[int]) -> int:
        return common_prefix(self._root, head)

    # Reading without a usable tail

    def _read_whole(self, prompt: PromptTokens, cancelled: Cancelled) -> Any:
        """Reads the tokens of a prompt that MAIN lacks, and copies the prompt's head to ROOT."""
        head = prompt.ids[: prompt.suffix.start]
        self._branches.cut(MAIN, len(self._held), -1)
        kept = common_prefix(self._root, prompt.ids)
        common = common_prefix(self._held, prompt.ids)
        keeps_tail = self._tail.at == len(head) < common and kept <= common
        if kept > common:
            self._branches.cut(MAIN, 0, -1)
            self._branches.copy(ROOT, MAIN, kept)
            self._held = list(self._root[:kept])
            self._logits.clear()
        self._cut_root(min(kept, len(head)))
        self._drop_spare()
        logits = self.logits_behind(prompt.ids, cancelled)
        if head and common_prefix(self._held, prompt.ids) >= len(head):
            self._note_tail(prompt, keeps_tail)
        else:
            self._tail = Tail()
        return logits

    def _note_tail(self, prompt: PromptTokens, keeps_tail: bool) -> None:
        """Copies the prompt's head from MAIN to ROOT, and records MAIN's tail.

        `keeps_tail`: a part of the tail is older than this prompt.
        """
        start, stop = prompt.suffix.start, prompt.suffix.stop
        self._branches.cut(ROOT, 0, -1)
        self._branches.copy(MAIN, ROOT, start)
        self._root = list(prompt.ids[:start])
        tail = self._tail if keeps_tail else Tail(at=start, head=self._root.copy())
        self._tail = replace(tail, tokens=self._held[start:stop])

    def _cut_root(self, kept: int) -> None:
        if kept < len(self._root):
            self._branches.cut(ROOT, kept, -1)
            del self._root[kept:]

    # Moving a tail

    def _lead_root(self, head: Tokens[int], cancelled: Cancelled) -> bool:
        """Reads the head into ROOT in chunks, except at most `AT_ONCE` tokens. False: cancelled."""
        common = self._common_root(head)
        self._cut_root(common)
        if len(head) - common > AT_ONCE:
            self._make_room(common)
        while len(head) - len(self._root) > AT_ONCE:
            if cancelled():
                return False
            start = len(self._root)
            end = min(start + self._chunk, len(head) - 1)
            if not self._extend_root(head[start:end]):
                return False
        return True

    def _make_room(self, common: int) -> None:
        """Drops SPARE, and all of MAIN except its first `common` tokens and its tail."""
        tail = self._tail
        self._branches.cut(MAIN, tail.at + len(tail.tokens), -1)
        self._branches.cut(MAIN, common, tail.at)
        del self._held[common:]
        self._logits.clear()
        self._drop_spare()

    def _extend_root(self, tokens: Tokens[int]) -> bool:
        self._branches.branch = ROOT
        try:
            logits = self._eval_after(len(self._root), tokens)
        finally:
            self._branches.branch = MAIN
        if logits is None:
            return False
        self._root += tokens
        return True

    def _move(self, head: Tokens[int], tail: Tokens[int]) -> None:
        """Moves MAIN's tail to after `head`; reads the rest of `head` and the tail's first tokens.

        This must not be stopped: a half-rotated tail could not be used.
        """
        kept = self._tail.shared(tail)
        age = self._tail.age(head)
        fresh = min(kept, next(fresh for most, fresh in FRESH if age <= most))
        self._held = []
        self._logits.clear()
        branches, at = self._branches, self._tail.at
        branches.cut(MAIN, at + kept, -1)
        branches.cut(MAIN, 0, at)
        branches.shift(MAIN, at, len(head) - at)
        branches.cut(MAIN, len(head), len(head) + fresh)
        self._tail.at = len(head)
        self._tail.freshen(fresh, list(head))
        del self._tail.tokens[kept:]
        with branches.unstoppable():
            self._extend_root([*head[len(self._root) :], *tail[:fresh]])
        branches.copy(ROOT, MAIN, len(head) + fresh)
        self._cut_root(len(head))
        self._held = [*head, *tail[:kept]]

    # Reading a tail anew

    def _renew(self, head: Tokens[int], tail: Tokens[int], cancelled: Cancelled) -> bool:
        """Reads the tail anew in SPARE, then replaces MAIN's tail with it. False: cancelled.

        A cancelled reading is continued later, even after a few keystrokes.
        """
        rest = head[len(self._root) :]
        if rest and not self._extend_root(rest):
            return False
        spare = self._spare
        is_of_use = spare.shared(tail) == len(spare.tokens) and spare.age(head) <= OUT_OF_DATE
        if not spare.tokens or not is_of_use:
            self._drop_spare()
            self._branches.copy(ROOT, SPARE, len(head))
            spare = self._spare = Tail([], len(head), list(head))
        while len(spare.tokens) < len(tail):
            if cancelled():
                return False
            read = len(spare.tokens)
            if not self._extend_spare(tail[read : read + self._chunk]):
                return False
        self._branches.cut(MAIN, 0, -1)
        self._branches.copy(SPARE, MAIN, -1)
        self._branches.cut(SPARE, 0, -1)
        self._tail, self._spare = spare, Tail()
        self._held = [*spare.head, *spare.tokens]
        self._logits.clear()
        return True

    def _extend_spare(self, tokens: Tokens[int]) -> bool:
        self._branches.branch = SPARE
        try:
            logits = self._eval_after(self._spare.at + len(self._spare.tokens), tokens)
        finally:
            self._branches.branch = MAIN
        if logits is None:
            return False
        self._spare.tokens += tokens
        return True

    def _drop_spare(self) -> None:
        self._branches.cut(SPARE, 0, -1)
        self._spare = Tail()

    # States

    @override
    def _kept(self) -> Kept:
        head = self._tail.at if self._tail.at < len(self._held) else 0
        age = self._tail.age(self._held[:head])
        return Kept(tuple(self._held), self.backend.save(), head, age)

    @override
    def _restore(self, kept: Kept) -> None:
        self._cut_root(0)
        self._drop_spare()
        super()._restore(kept)
        self._tail = Tail()
        if self._held and kept.head:
            self._branches.copy(MAIN, ROOT, kept.head)
            self._root = self._held[: kept.head]
            other = [*self._root, *[NO_TOKEN] * kept.age]  # of this age, like the lost head
            self._tail = Tail(self._held[kept.head :], kept.head, other)

    @override
    def clear(self) -> None:
        self._root, self._tail, self._spare = [], Tail(), Tail()
        for branch in BRANCHES:
            self._branches.cut(branch, 0, -1)
        super().clear()
