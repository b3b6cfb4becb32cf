"""A moved suffix: few tokens are read per key, and the cache's content stays right."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import llama_cpp.llama_cpp as lib
import numpy
import pytest

from mistral_lsp.inference import splice
from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.backends.llama_cpp import LlamaCpp
from mistral_lsp.inference.shelf import Kept
from mistral_lsp.inference.splice import BRANCHES, MAIN, ROOT, SPARE, Splice
from mistral_lsp.models import store

SAMPLE = Path(__file__).parents[1] / "fixtures" / "sample.py"
WINDOW = 512
MID = 7
ROUNDING = 1.0
"""The largest allowed difference of logits.

The same tokens in other cells of the cache differ by up to 0.7.
"""
CODE: list[int] = []


@pytest.fixture(scope="module")
def backend() -> LlamaCpp:
    made = LlamaCpp(store.locate(""), WINDOW, 1, 0)  # threads wait for each other
    assert made.make_branches(len(BRANCHES), WINDOW // 4 + 16)
    CODE[:] = made.tokenize(SAMPLE.read_bytes())
    return made


@dataclass
class Text:
    """An edited text, as the tokens before and after the cursor."""

    head: list[int]
    tail: list[int]

    def prompt(self) -> PromptTokens:
        places = range(len(self.head), len(self.head) + len(self.tail))
        return PromptTokens([*self.head, *self.tail, MID], b"", places)


def some(count: int, chance: random.Random) -> list[int]:
    """Gives `count` successive tokens from a random place in real code."""
    start = chance.randrange(len(CODE) - count)
    return list(CODE[start : start + count])


def never() -> bool:
    return False


def text(seed: int, head: int = 200, tail: int = 100) -> tuple[Text, random.Random]:
    chance = random.Random(seed)
    return Text(some(head, chance), some(tail, chance)), chance


def is_sound(sequence: Splice, backend: LlamaCpp) -> None:
    """Checks that ROOT and SPARE end where `sequence` assumes, and that MAIN ends no earlier."""
    ends = {
        branch: lib.llama_memory_seq_pos_max(backend._memory, branch) + 1 for branch in BRANCHES
    }
    assert ends[ROOT] == len(sequence._root)
    spare = sequence._spare
    assert ends[SPARE] == (spare.at + len(spare.tokens) if spare.tokens or ends[SPARE] else 0)
    if sequence._held:
        assert ends[MAIN] >= len(sequence._held)


def read_anew(sequence: Splice, prompt: PromptTokens) -> numpy.ndarray:
    sequence.clear()
    return sequence.read(prompt, never).copy()


@pytest.mark.parametrize("typed", [1, 3, 12, 40])
def test_a_key_reads_few_tokens(backend, typed: int) -> None:
    edited, chance = text(typed)
    sequence = Splice(backend)
    sequence.read(edited.prompt(), never)
    edited.head += some(typed, chance)
    before = sequence.evaluated
    assert sequence.read(edited.prompt(), never) is not None
    fresh = 2 if typed <= 16 else 16
    assert sequence.evaluated - before == typed + fresh + 1
    assert sequence._held == edited.prompt().ids
    is_sound(sequence, backend)


def test_the_same_prompt_reads_nothing(backend) -> None:
    edited, chance = text(1)
    sequence = Splice(backend)
    sequence.read(edited.prompt(), never)
    edited.head += some(3, chance)
    sequence.read(edited.prompt(), never)
    before = sequence.evaluated
    assert sequence.read(edited.prompt(), never) is not None
    assert sequence.evaluated == before
    assert sequence._tail.age(edited.head) == 3, "the tail is not newer for that"


@pytest.mark.parametrize("seed", range(2))
def test_with_all_of_it_fresh_it_is_as_if_read_anew(backend, monkeypatch, seed: int) -> None:
    monkeypatch.setattr(splice, "FRESH", ((splice.OLDEST, 1 << 30),))
    edited, chance = text(seed)
    sequence = Splice(backend)
    sequence.read(edited.prompt(), never)
    for _ in range(6):
        del edited.head[len(edited.head) - chance.randrange(4) :]
        edited.head += some(chance.randrange(1, 24), chance)
        found = sequence.read(edited.prompt(), never).copy()
    assert abs(found - read_anew(sequence, edited.prompt())).max() < ROUNDING


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_a_pause_mends_it(backend, seed: int) -> None:
    """Mixes keys, cancels, answers, jumps, new suffixes and pauses at random."""
    edited, chance = text(seed)
    sequence = Splice(backend)
    sequence._seconds = 1e-4  # small chunks, so that there are middles to cancel in
    places = [text(seed + 100, 150, 90)[0], edited]
    for _ in range(16):
        act = chance.randrange(9)
        if act < 4:
            edited.head += some(chance.choice((1, 1, 2, 3, 20, 40)), chance)
        elif act == 4:
            del edited.head[-chance.randrange(1, 30) :]
        elif act == 5:
            edited = chance.choice(places)
        elif act == 6:
            edited.tail[chance.randrange(len(edited.tail)) :] = some(20, chance)
        edited.head[300:] = []
        edited.tail[110:] = []
        left = chance.choice((0, 1, 2, 5, 1000, 1000))

        def is_cancelled() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        logits = sequence.read(edited.prompt(), is_cancelled, in_pause=act == 7)
        is_sound(sequence, backend)
        said = list(edited.prompt().ids)
        for _ in range(chance.randrange(4) if logits is not None else 0):
            said.append(int(logits.argmax()))
            logits = sequence.logits_behind(said)
    edited.head += some(9, chance)
    sequence.read(edited.prompt(), never)
    found = sequence.read(edited.prompt(), never, in_pause=True).copy()
    assert sequence._tail.age(edited.head) <= splice.OUT_OF_DATE
    is_sound(sequence, backend)
    anew = read_anew(sequence, edited.prompt())
    assert abs(found - anew).max() < ROUNDING


def test_a_return_to_a_place_reads_little(backend) -> None:
    one, chance = text(1)
    other, _ = text(2)
    sequence = Splice(backend)
    sequence.read(one.prompt(), never)
    one.head += some(2, chance)
    sequence.read(one.prompt(), never)
    sequence.read(other.prompt(), never)
    one.head += some(2, chance)
    before = sequence.evaluated
    sequence.read(one.prompt(), never)
    assert sequence.evaluated - before <= 5
    is_sound(sequence, backend)


@pytest.mark.parametrize("more", [20, 70, 150, 220])
@pytest.mark.parametrize("chunks", [1, 2, 1000])
def test_a_key_while_the_window_grows_finds_the_window_before(
    backend, more: int, chunks: int
) -> None:
    small, chance = text(5, 80, 70)
    path = some(15, chance)
    grown = Text([*path, *some(more, chance), *small.head], [*small.tail, *some(30, chance)])
    small.head[:0] = path
    sequence = Splice(backend)
    sequence.read(small.prompt(), never)
    left = chunks

    def is_cancelled() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    sequence._chunk = 32
    sequence.read(grown.prompt(), is_cancelled, in_pause=True)
    small.head += some(1, chance)
    before = sequence.evaluated
    assert sequence.read(small.prompt(), never) is not None
    assert sequence.evaluated - before <= 4
    is_sound(sequence, backend)


@pytest.mark.parametrize("more", [70, 220])
@pytest.mark.parametrize("typed", [1, 5])
@pytest.mark.parametrize("chunks", [1, 3])
def test_a_window_grows_though_keys_interrupt_it(
    backend, more: int, typed: int, chunks: int
) -> None:
    small, chance = text(6, 60, 90)
    path = some(15, chance)
    grown = Text([*path, *some(more, chance), *small.head], list(small.tail))
    small.head[:0] = path
    sequence = Splice(backend)
    sequence.read(small.prompt(), never)
    sequence._seconds = 1e-4  # the smallest chunks
    for _ in range(20):
        left = chunks

        def is_cancelled() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        if sequence.read(grown.prompt(), is_cancelled, in_pause=True) is not None:
            break
        keys = some(typed, chance)
        small.head += keys
        grown.head += keys
        assert sequence.read(small.prompt(), never) is not None
    assert sequence._held == grown.prompt().ids
    is_sound(sequence, backend)


@pytest.mark.parametrize("answer", [0, 5, 70])
def test_lines_below_are_deleted_and_brought_back(backend, answer: int) -> None:
    edited, _ = text(7)
    fewer = Text(edited.head, edited.tail[:40])
    sequence = Splice(backend)
    sequence.read(edited.prompt(), never)
    logits = sequence.read(fewer.prompt(), never)
    said = list(fewer.prompt().ids)
    for _ in range(answer):
        said.append(int(logits.argmax()))
        logits = sequence.logits_behind(said)
    found = sequence.read(edited.prompt(), never).copy()
    is_sound(sequence, backend)
    assert abs(found - read_anew(sequence, edited.prompt())).max() < ROUNDING


@pytest.mark.parametrize("deleted", [40, 150])
def test_what_was_read_after_a_deletion_is_known_to_be_old_after_its_undo(
    backend, deleted: int
) -> None:
    edited, _ = text(8)
    shorter = Text(edited.head[:-deleted], edited.tail)
    sequence = Splice(backend)
    sequence.read(edited.prompt(), never)
    sequence.read(shorter.prompt(), never)
    sequence.read(edited.prompt(), never)
    found = sequence.read(edited.prompt(), never, in_pause=True).copy()
    assert abs(found - read_anew(sequence, edited.prompt())).max() < ROUNDING


def test_a_kept_state_knows_its_tails_age(backend) -> None:
    edited, chance = text(9)
    first = Splice(backend)
    first.read(edited.prompt(), never)
    edited.head[-20:] = some(20, chance)
    first.read(edited.prompt(), never)
    states = first.states()
    second = Splice(backend)
    second.remember(states)
    del edited.head[-40:]
    second.read(edited.prompt(), never)
    assert second._tail.age(edited.head) >= 40
    before = second.evaluated
    second.read(edited.prompt(), never, in_pause=True)
    assert second.evaluated - before >= len(edited.tail)


def test_states_of_an_earlier_process_serve(backend) -> None:
    edited, chance = text(3)
    first = Splice(backend)
    first.read(edited.prompt(), never)
    states = [Kept(one.tokens, bytearray(one.state), one.head, one.age) for one in first.states()]
    second = Splice(backend)
    second.remember(states)
    edited.head += some(1, chance)
    second.read(edited.prompt(), never)
    assert second.evaluated <= 4
    found = second.read(edited.prompt(), never, in_pause=True).copy()
    assert abs(found - read_anew(second, edited.prompt())).max() < ROUNDING


def test_the_number_of_threads_outlives_the_making_of_branches(backend) -> None:
    backend.use_threads(3)
    assert backend.make_branches(len(BRANCHES), WINDOW // 4 + 16)
    assert lib.llama_n_threads(backend._context) == 3
    backend.use_threads(1)


def test_a_failed_eval_leaves_nothing(backend) -> None:
    edited, _ = text(4)
    sequence = Splice(backend)
    sequence.read(edited.prompt(), never)

    def fail() -> None:
        with sequence.kept_sound():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    is_sound(sequence, backend)
    assert sequence._held == [] and sequence._root == []
