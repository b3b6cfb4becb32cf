"""What the cache finds, and what it must not find."""

from __future__ import annotations

import pytest

from mistral_lsp import cache, languages
from mistral_lsp.cache import Cache
from mistral_lsp.document import Document, Snapshot
from mistral_lsp.types import Answer, Token


def snapshot(text: str, uri: str = "file:///a.py") -> Snapshot:
    return Document(uri, "a.py", languages.find("python"), 1, text).snapshot()


def answer(text: str) -> Answer:
    return Answer(tuple(Token(word, 0.5) for word in text.split("|")), complete=True)


@pytest.mark.parametrize(
    ("typed", "behind", "left"),
    [
        ("", "\n", "return a + b"),
        ("ret", "\n", "urn a + b"),
        ("return a +", "\n", " b"),
        ("return a + b", "\n", None),  # all of it is typed: the model is asked for more
        ("rex", "\n", None),
        ("ret", "\nx = 1\n", None),  # the text below has changed
    ],
)
def test_typing_through(typed: str, behind: str, left: str | None) -> None:
    remembered = Cache()
    before = "def f(a, b):\n    "
    remembered.put(snapshot(before + "\n"), len(before), answer("ret|urn a| + b"))
    found = remembered.find(snapshot(before + typed + behind), len(before + typed))
    assert (found.text if found else None) == left


def test_typing_through_a_bracket_that_the_editor_closes() -> None:
    remembered = Cache()
    remembered.put(snapshot("print\n"), 5, answer("(na|me)"))
    found = remembered.find(snapshot("print()\n"), 6)
    assert found is not None and found.text == "name)"
    assert remembered.find(snapshot("print)\n"), 5) is None


def test_a_change_above_makes_it_forget() -> None:
    remembered = Cache()
    remembered.put(snapshot("a = 1\nb = \n"), 10, answer("2"))
    assert remembered.find(snapshot("a = 3\nb = \n"), 10) is None


def test_documents_are_kept_apart() -> None:
    remembered = Cache()
    remembered.put(snapshot("b = \n"), 4, answer("2"))
    assert remembered.find(snapshot("b = \n", "file:///other.py"), 4) is None


def test_the_oldest_is_forgotten() -> None:
    remembered = Cache()
    texts = [f"v{number} = \n" for number in range(cache.KEPT + 1)]
    for text in texts:
        remembered.put(snapshot(text), len(text) - 1, answer("2"))
    assert remembered.find(snapshot(texts[0]), len(texts[0]) - 1) is None
    assert remembered.find(snapshot(texts[1]), len(texts[1]) - 1) is not None


def test_a_cut_token_keeps_its_probability() -> None:
    remembered = Cache()
    remembered.put(snapshot("x = \n"), 4, answer("abc|def"))
    found = remembered.find(snapshot("x = ab\n"), 6)
    assert found is not None
    assert found.tokens == (Token("c", 0.5), Token("def", 0.5))
