"""Lines of which the model was not sure are not shown."""

from __future__ import annotations

from mistral_lsp import languages
from mistral_lsp.postprocess.base import Situation, Suggestion
from mistral_lsp.postprocess.drop_doubtful import drop_doubtful
from mistral_lsp.syntax import nesting
from mistral_lsp.types import Answer, Token

PYTHON = languages.find("python")


def shown(*lines: tuple[str, float], least: float = 0.5, so_far: int = 0) -> Suggestion:
    """Gives what the filter keeps of `lines`, each a text with its probability.

    `least` is the threshold. The first `so_far` characters are on the screen already.
    """
    text = "".join(line for line, _ in lines)
    place = Situation(
        line_prefix="    ",
        line_suffix="",
        following="",
        nesting=nesting.at_line(PYTHON, "    "),
        has_open_string=False,
        indent="    ",
        language=PYTHON,
        multiline="auto",
        min_confidence=least,
        answer=Answer(tuple(Token(line, likely) for line, likely in lines)),
        shown=so_far,
    )
    return drop_doubtful(Suggestion(text), place)


def test_as_many_lines_stay_as_are_likely_together() -> None:
    assert shown(("a = 1", 0.9), ("\nb = 2", 0.8), ("\nc = 3", 0.5)).text == "a = 1\nb = 2"
    assert shown(("a = 1", 0.9), ("\nb = 2", 0.8), ("\nc = 3", 0.8)).text.endswith("c = 3")


def test_an_answer_whose_first_line_is_unlikely_goes() -> None:
    gone = shown(("\n    ", 1.0), ("a = 1", 0.4), ("\nb = 2", 1.0))
    assert gone.text == "" and "0.40" in (gone.reason or "")


def test_what_only_opens_a_block_goes_with_its_body() -> None:
    assert shown(("if a:", 0.9), ("\n        b()", 0.1)).text == ""
    assert shown(("x = 1", 0.9), ("\nif a:", 0.9), ("\n        b()", 0.1)).text == "x = 1"
    assert shown(("if a:", 0.9)).text == "if a:"


def test_what_was_shown_stays_to_its_lines_end() -> None:
    lines = (("a = 1", 0.4), ("\nb = 2", 1.0))
    assert shown(*lines, so_far=2).text == "a = 1"
    assert shown(*lines, so_far=5).text == "a = 1"
    assert shown(*lines, so_far=6).text == "a = 1\nb = 2"
    assert shown(*lines, so_far=100).text == "a = 1\nb = 2"


def test_what_was_shown_and_opens_a_block_stays_with_its_body() -> None:
    lines = (("if a:", 0.9), ("\n        b()", 0.1), ("\n        c()", 0.1))
    assert shown(*lines, so_far=5).text == "if a:\n        b()"


def test_nothing_goes_where_nothing_has_to_be_likely() -> None:
    assert shown(("a = 1", 0.1), least=0.0).text == "a = 1"
