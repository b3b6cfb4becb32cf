"""An answer must not contain the blots that replace secrets in a prompt."""

from __future__ import annotations

from mistral_lsp import languages
from mistral_lsp.postprocess.base import Situation, Suggestion
from mistral_lsp.postprocess.drop_blots import drop_blots
from mistral_lsp.types import BLOT, Answer


def shown(text: str, line_prefix: str = 'password = "', following: str = "") -> Suggestion:
    python = languages.find("python")
    place = Situation(line_prefix, "", following, (), False, "", python, "auto", 0.0, Answer(()))
    return drop_blots(Suggestion(text), place)


def test_an_answer_that_begins_with_it_goes() -> None:
    gone = shown(f'{BLOT}"')
    assert gone.text == "" and "secret" in (gone.reason or "")
    assert shown(f'use("{BLOT}")').text == ""


def test_whole_lines_before_it_stay() -> None:
    assert shown(f'a = 1\nb = 2\nc = "{BLOT}"', "").text == "a = 1\nb = 2"


def test_a_file_that_has_it_may_have_it_again() -> None:
    assert shown(f'{BLOT}"', following=f'\nother = "{BLOT}"').text == f'{BLOT}"'
    assert shown("a = 1").text == "a = 1"
