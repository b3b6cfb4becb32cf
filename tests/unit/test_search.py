"""The search finds the most probable line even if its first token is not the most probable one."""

from __future__ import annotations

import numpy
import pytest

from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.decode import Decoder
from mistral_lsp.inference.search import MOST_TRIES, Search
from mistral_lsp.inference.sequence import Sequence as OneSequence

START, A, B, X, Y, Z, END_OF_LINE, END = range(8)
PIECES = [b"start", b"a", b"b", b"x", b"y", b"z", b"\n", b""]
BEHIND = {
    START: {A: 0.6, B: 0.4},
    A: {X: 0.5, Y: 0.4},
    B: {Z: 0.9},
    X: {END_OF_LINE: 0.5},
    Y: {END_OF_LINE: 0.9},
    Z: {END_OF_LINE: 0.95},
    END_OF_LINE: {A: 0.9},
}


class Table:
    """A backend with only what decoding needs. Its model is `BEHIND`, a table of next tokens."""

    name = "table"
    largest_chunk = 64
    can_abort = can_save = False

    def __init__(self) -> None:
        self.read: list[int] = []

    def token_bytes(self, token):
        return PIECES[token]

    def vocabulary_size(self):
        return len(PIECES)

    def eval(self, tokens, past):
        assert past == len(self.read)
        self.read += tokens
        chances = numpy.full(len(PIECES), 1e-9, dtype=numpy.float32)
        for token, chance in BEHIND[tokens[-1]].items():
            chances[token] = chance
        return numpy.log(chances)

    def rewind(self, past):
        del self.read[past:]
        return past

    def use_threads(self, count):
        pass


def written(line: int | None, most: int = 6, cancelled=lambda: False) -> tuple[str, float, Decoder]:
    loop = Decoder(OneSequence(Table()), frozenset({END}))
    chance = 1.0
    text = b""
    for piece, probability in loop.generate(PromptTokens([START]), most, cancelled, line=line):
        text += piece
        chance *= probability
    return text.decode(), chance, loop


def test_the_likeliest_tokens_may_not_make_the_likeliest_line() -> None:
    assert written(line=None, most=3)[0] == "ax\n"
    text, chance, _ = written(line=1, most=3)
    assert text == "bz\n"
    assert chance == pytest.approx(0.4 / 1.0 * 1.0 * 1.0, rel=0.01)


def test_the_lines_come_in_the_order_of_likelihood_until_there_are_no_more() -> None:
    found = [written(line=place, most=3) for place in range(1, 6)]
    assert [text for text, _, _ in found[:3]] == ["bz\n", "ax\n", "ay\n"]
    assert found[0][1] > found[1][1] > found[2][1]
    texts = [text for text, _, _ in found if text]
    assert len(set(texts)) == len(texts)


def test_behind_the_line_the_likeliest_tokens_follow() -> None:
    assert written(line=1)[0] == "bz\nax\n"


def test_what_was_tried_in_vain_is_counted_as_evaluated() -> None:
    usage = written(line=1, most=3)[2].usage
    assert usage.generated_tokens == 3
    assert usage.evaluated_tokens > written(line=None, most=3)[2].usage.evaluated_tokens


def test_nothing_more_is_tried_where_the_model_is_sure() -> None:
    asked: list[list[int]] = []

    def logits_behind(tokens):
        asked.append(list(tokens))
        return tokens

    def sure(_, tokens):
        return [(len(tokens), 0.9), (100, 0.1)]

    line = Search(logits_behind, sure, lambda tokens: len(tokens) == 3, 8).run()
    assert line is not None and line.tokens() == [0, 1, 2]
    assert asked == [[], [0], [0, 1]]


def test_tries_are_few_and_a_cancel_ends_them() -> None:
    asked = 0

    def logits_behind(tokens):
        nonlocal asked
        asked += 1
        return tokens if asked < 5 else None

    def unsure(_, tokens):
        return [(0, 0.01 ** len(tokens)), (1, 0.01 ** len(tokens))]

    assert Search(lambda tokens: tokens, unsure, lambda tokens: len(tokens) == 3, 8).run()
    assert Search(logits_behind, unsure, lambda tokens: len(tokens) == 9, 9).run() is None
    assert asked <= 4 + MOST_TRIES


def test_a_cancelled_answer_ends() -> None:
    assert written(line=1, cancelled=lambda: True)[0] == ""
