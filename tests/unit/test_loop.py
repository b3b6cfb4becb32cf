"""The decoder, the sequence and the tokenizer, mostly on the scripted backend."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy

from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.backends.scripted import SPECIALS, Line, Script, Scripted
from mistral_lsp.inference.decode import Decoder
from mistral_lsp.inference.sequence import Sequence as OneSequence
from mistral_lsp.inference.shelf import MOST, Kept, Shelf
from mistral_lsp.inference.threads import Threads
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.types import Part, Prompt

ENDS = frozenset(SPECIALS.values())


def prompt(prefix: str) -> list[int]:
    return [256, 258, *prefix.encode(), 260]


def run(loop: Decoder, ids: list[int], most: int = 100, cancelled=lambda: False) -> str:
    return b"".join(
        piece for piece, _ in loop.generate(PromptTokens(ids), most, cancelled)
    ).decode()


def test_only_what_is_new_is_evaluated() -> None:
    loop = Decoder(OneSequence(Scripted(Script([Line("x = ", "one + two\n")]))), ENDS)
    assert run(loop, prompt("x = ")) == "one + two\n"
    assert loop.usage.evaluated_tokens == 7
    assert run(loop, prompt("x = o")) == "ne + two\n"
    assert loop.usage.evaluated_tokens == 2
    assert run(loop, prompt("x = o")) == "ne + two\n"
    assert loop.usage.evaluated_tokens == 0
    assert run(loop, prompt("y = ")) == ""
    assert run(loop, prompt("x = o"), most=3) == "ne "


def test_results_never_depend_on_what_was_asked_before() -> None:
    random.seed(3)
    script = Script([Line("x = ", "one + two\n"), Line("y", " = f(x)\n")])
    loop = Decoder(OneSequence(Scripted(script)), ENDS)
    for _ in range(200):
        ids = prompt(random.choice(["x = ", "x = on", "x = no", "y", "y = f", "", "x"]))
        most = random.randrange(1, 12)
        assert run(loop, ids, most) == run(Decoder(OneSequence(Scripted(script)), ENDS), ids, most)


class Interrupted(Scripted):
    """A backend whose third eval takes long, until another thread aborts it."""

    def __init__(self, *lines: Line) -> None:
        super().__init__(Script(list(lines)))
        self.cancelled = threading.Event()
        self.evals = 0

    def eval(self, tokens: Sequence[int], past: int) -> Any:
        self.evals += 1
        slow = self.evals == 3
        self._script = msgspec.structs.replace(self._script, delay_ms=1_000 if slow else 0)
        if slow:
            threading.Thread(target=self.stop).start()
        return super().eval(tokens, past)

    def stop(self) -> None:
        self.cancelled.set()
        self.abort(True)


def test_a_cancel_in_the_middle_of_an_eval_leaves_the_cache_right() -> None:
    backend = Interrupted(Line("a", "bcd"))
    loop = Decoder(OneSequence(backend), ENDS)
    ids = prompt("z" * 400 + "a")
    assert run(loop, ids, cancelled=backend.cancelled.is_set) == ""
    assert backend.evals == 3
    evaluated = loop.usage.evaluated_tokens
    assert 0 < evaluated < len(ids)
    backend.abort(False)
    assert run(loop, ids) == "bcd"
    assert loop.usage.evaluated_tokens == len(ids) - evaluated


def test_the_script_gives_the_logits_after_each_token() -> None:
    backend = Scripted(Script([Line("a", "bcd")]))
    ids = [*prompt("a"), *b"bc"]
    together = backend.eval(ids, 0, every=True)
    assert bytes(together[-3:].argmax(axis=1).tolist()) == b"bcd"
    assert together.shape == (len(ids), backend.vocabulary_size())


def test_prompts_become_tokens_with_marks() -> None:
    tokenizer = Tokenizer(Scripted(Script()), SPECIALS, heals=False)
    parts = (Part("mark", special="bos"), Part("prefix", text="é<s>"), Part("m", special="eos"))
    assert tokenizer.prompt(Prompt("plain", parts)).ids == [256, *"é<s>".encode(), 257]


def test_a_prompt_makes_progress_though_it_is_aborted_again_and_again() -> None:
    backend = Scripted(Script([Line("a", "bcd")], delay_ms=4))
    loop = Decoder(OneSequence(backend), ENDS)
    ids = prompt("z" * 600 + "a")
    for _ in range(200):
        backend.abort(False)
        # Sooner than the first chunk is read, and twice as late as a chunk should take.
        timer = threading.Timer(0.2, backend.abort, [True])
        timer.start()
        written = run(loop, ids)
        timer.cancel()
        timer.join()
        if written:
            break
    assert written == "bcd"


def test_going_back_reads_nothing_twice() -> None:
    script = Script([Line("a", "bcd"), Line("b", "xyz")])
    loop = Decoder(OneSequence(Scripted(script)), ENDS)
    here, there = prompt("q" * 300 + "a"), prompt("r" * 300 + "b")
    assert run(loop, here) == "bcd"
    assert run(loop, there) == "xyz"
    assert loop.usage.evaluated_tokens == len(there) - 2
    for _ in range(3):
        assert run(loop, here) == "bcd"
        assert loop.usage.evaluated_tokens == 1
        assert run(loop, there) == "xyz"
        assert loop.usage.evaluated_tokens == 1


def test_the_shelf_keeps_no_more_states_than_help_however_small() -> None:
    shelf = Shelf()
    for place in range(MOST + 3):
        shelf.put(Kept(tuple([place] * 100), bytearray(1)))
    assert [one.tokens[0] for one in shelf.all()] == list(range(3, MOST + 3))


def test_the_shelf_keeps_one_state_a_place_within_its_room() -> None:
    shelf = Shelf(room=25)
    shelf.put(Kept(tuple([1] * 100), b"0123456789"))
    shelf.put(Kept(tuple([1] * 130), b"0123456789"))
    shelf.put(Kept(tuple([2] * 100), b"0123456789"))
    assert shelf.take([1] * 100, 50) == Kept((1,) * 130, b"0123456789")
    assert shelf.take([1] * 100, 50) is None
    shelf.put(Kept(tuple([3] * 100), b"0123456789"))
    shelf.put(Kept(tuple([4] * 100), b"0123456789"))
    assert shelf.take([2] * 100, 50) is None
    assert shelf.take([3] * 100, 100) is None
    assert shelf.take([3] * 100, 99) is not None


def test_fewer_threads_compute_while_the_machine_is_busy() -> None:
    now = 0.0
    threads = Threads(4, lambda: now, idle=lambda: now)
    for _ in range(20):
        threads.took(1, 0.010)
    assert threads.choose(1) == 4
    threads.took(1, 0.2)
    assert threads.choose(1) == 4, "one slow step says nothing"
    threads.took(1, 0.2)
    assert threads.choose(1) == 2
    for _ in range(5):
        threads.took(1, 0.02)
    now = 1.5
    assert threads.choose(64) == 2, "a chunk would take long where it is still busy"
    assert threads.choose(1) == 4, "a try"
    threads.took(1, 0.2)
    assert threads.choose(1) == 2, "which failed"
    now = 10.0
    assert threads.choose(4) == 4, "small chunks, which say nothing of the speed, try again, too"
    for _ in range(5):
        threads.took(1, 0.010)
    assert threads.choose(64) == 4, "the machine is quiet again"


def test_a_slow_chunk_of_a_prompt_says_that_the_machine_is_busy() -> None:
    threads = Threads(2, lambda: 0.0, reading_rate=1000.0)
    threads.took(64, 0.08)
    threads.took(3, 5.0)
    threads.gave_up(64, 0.3)
    assert threads.choose(64) == 2
    threads.took(64, 2.0)
    assert threads.choose(64) == 1


def test_so_does_a_small_eval_that_stalled() -> None:
    now = 0.0
    threads = Threads(2, lambda: now, idle=lambda: now)
    threads.took(1, 0.01)
    threads.took(3, 2.0)
    assert threads.choose(1) == 1
    now = 10.0
    assert threads.choose(1) == 1, "a try may cost as much"
    now = 20.0
    assert threads.choose(1) == 2


def test_so_does_one_that_was_aborted_late() -> None:
    threads = Threads(2, lambda: 0.0, reading_rate=1000.0)
    threads.gave_up(64, 1.0)
    assert threads.choose(64) == 1


def test_nothing_is_tried_while_no_core_is_idle() -> None:
    now = idle = 0.0
    threads = Threads(2, lambda: now, idle=lambda: idle)
    for took in (0.01, 0.2, 0.2):
        threads.took(1, took)
    now = 3.0
    assert threads.choose(1) == 1, "the cores were busy all the while: a try would take long"
    now, idle = 4.5, 0.2
    assert threads.choose(1) == 1, "they still are"
    now, idle = 6.0, 1.0
    assert threads.choose(1) == 2


def test_the_backends_threads_are_left_alone_until_others_are_chosen() -> None:
    told: list[int] = []

    class Told(Scripted):
        def use_threads(self, count: int) -> None:
            told.append(count)

    loop = Decoder(OneSequence(Told(Script([Line("a", "bcd")]))), ENDS)
    assert run(loop, prompt("a")) == "bcd"
    assert told == [], "who measures or compares has set them"


class Words:
    """A backend with a vocabulary of words. After "return" it writes " total"."""

    name = "words"
    largest_chunk = 64
    can_abort = can_save = False
    pieces = (b"", b"r", b"re", b"ret", b"return", b" ", b" total", b"total", b"x", b"\n")

    def tokenize(self, text):
        ids = []
        while text:
            best = max(
                range(1, 10), key=lambda i: len(self.pieces[i]) * text.startswith(self.pieces[i])
            )
            ids.append(best)
            text = text[len(self.pieces[best]) :]
        return ids

    def token_bytes(self, token):
        return self.pieces[token]

    def vocabulary_size(self):
        return len(self.pieces)

    def __init__(self):
        self.evaluated = []

    def eval(self, tokens, past):
        self.evaluated.append(list(tokens))
        logits = numpy.full(len(self.pieces), -5.0, dtype=numpy.float32)
        logits[0] = 9.0  # it would rather say nothing
        logits[4] = 1.0
        if list(tokens) == [4]:
            logits[6], logits[0] = 12.0, -5.0
        return logits

    def rewind(self, past):
        return past

    def use_threads(self, count):
        pass


def test_the_word_before_the_cursor_is_chosen_anew() -> None:
    tokenizer = Tokenizer(Words(), {"eos": 0})
    found = tokenizer.prompt(Prompt("plain", (Part("prefix", text="x retrex"),)))
    ids, owed = found.ids, found.owed
    assert (ids, owed) == ([8, 5], b"retrex"), "of several tokens"
    found = tokenizer.prompt(Prompt("plain", (Part("prefix", text="x totalre"),)))
    ids, owed = found.ids, found.owed
    assert (ids, owed) == ([8], b" totalre"), "with the blank that its first token begins with"
    found = tokenizer.prompt(Prompt("plain", (Part("prefix", text="x " + 20 * "ret"),)))
    ids, owed = found.ids, found.owed
    assert (len(ids), owed) == (14, 8 * b"ret"), "as far as it pays"
    found = tokenizer.prompt(Prompt("plain", (Part("prefix", text="x ret"),)))
    ids, owed = found.ids, found.owed
    assert (ids, owed) == ([8, 5], b"ret")
    assert [Words.pieces[token] for token in tokenizer.beginning(owed)] == [
        b"r",
        b"re",
        b"ret",
        b"return",
    ]
    found = tokenizer.prompt(Prompt("plain", (Part("prefix", text="x\n"),)))
    ids, owed = found.ids, found.owed
    assert (ids, owed) == ([8], b"\n")
    found = tokenizer.prompt(Prompt("plain", (Part("prefix", text="x\n\n  "),)))
    ids, owed = found.ids, found.owed
    assert (ids, owed) == ([8, 9], b"\n  "), "pieces reach from a line end into the next line"


def test_an_answer_begins_with_what_is_owed_and_does_not_repeat_it() -> None:
    backend = Words()
    tokenizer = Tokenizer(backend, {"eos": 0})
    loop = Decoder(OneSequence(backend), frozenset({0}), beginning=tokenizer.beginning)
    pieces = [piece for piece, _ in loop.generate(PromptTokens([8, 5], b"ret"), 8, lambda: False)]
    assert pieces == [b"urn", b" total"]
    assert list(loop.generate(PromptTokens([8, 5]), 8, lambda: False)) == []


def test_another_beginning_of_the_same_word_needs_no_eval() -> None:
    backend = Words()
    loop = Decoder(
        OneSequence(backend), frozenset({0}), beginning=Tokenizer(backend, {"eos": 0}).beginning
    )
    assert next(loop.generate(PromptTokens([8, 5], b"r"), 8, lambda: False))[0] == b"eturn"
    evaluated = len(backend.evaluated)
    assert next(loop.generate(PromptTokens([8, 5], b"re"), 8, lambda: False))[0] == b"turn"
    assert len(backend.evaluated) == evaluated


def test_what_was_said_behind_other_tokens_is_forgotten() -> None:
    """Answers to random prompts equal those of a new decoder, which remembers nothing."""
    random.seed(5)
    backend = Words()
    beginning = Tokenizer(backend, {"eos": 0}).beginning
    loop = Decoder(OneSequence(backend), frozenset({0}), beginning=beginning)
    for _ in range(200):
        ids = [random.choice([8, 6, 5]) for _ in range(random.randrange(1, 5))]
        owed = random.choice([b"", b"r", b"ret", b"return", b" ", b"to"])
        fresh = Decoder(OneSequence(Words()), frozenset({0}), beginning=beginning)
        most = random.randrange(1, 6)
        answers = [
            [piece for piece, _ in each.generate(PromptTokens(ids, owed), most, lambda: False)]
            for each in (loop, fresh)
        ]
        assert answers[0] == answers[1]
