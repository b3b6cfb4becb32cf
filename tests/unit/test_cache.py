"""The cache finds the answers that fit a place, and no others."""

from __future__ import annotations

import pytest

from mistral_lsp import languages
from mistral_lsp.completion import cache
from mistral_lsp.completion.cache import Cache, Entry
from mistral_lsp.document import Document, Snapshot
from mistral_lsp.types import Token


def snapshot(text: str, uri: str = "file:///a.py") -> Snapshot:
    return Document(uri, "a.py", languages.find("python"), 1, text).snapshot()


def put(remembered: Cache, text: str, offset: int, answer: str, ended: bool = False) -> Entry:
    entry = Entry.at(snapshot(text), offset)
    for word in answer.split("|"):
        entry.take(Token(word, 0.5))
    entry.complete, entry.ended = True, ended
    remembered.put(entry)
    return entry


def find(remembered: Cache, text: str, offset: int, uri: str = "file:///a.py") -> str | None:
    found = remembered.find(snapshot(text, uri), offset)
    return found[1].text if found else None


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
    put(remembered, before + "\n", len(before), "ret|urn a| + b")
    assert find(remembered, before + typed + behind, len(before + typed)) == left


def test_where_the_model_itself_ended_it_is_not_asked_again() -> None:
    remembered = Cache()
    put(remembered, "x = \n", 4, "1 + 2", ended=True)
    assert find(remembered, "x = 1 + 2\n", 9) == ""


def test_a_growing_answer_goes_with_a_user_who_is_ahead_of_it() -> None:
    entry = Entry.at(snapshot("x = \n"), 4)
    entry.take(Token("one", 0.5))
    ahead = snapshot("x = one +\n")
    rest = entry.rest(ahead, 9)
    assert rest is not None and rest.text == ""
    entry.take(Token(" + two", 0.5))
    rest = entry.rest(ahead, 9)
    assert rest is not None and rest.text == " two"
    assert entry.rest(snapshot("x = one -\n"), 9) is None


def test_tokens_count_as_seen_once() -> None:
    entry = put(Cache(), "x = \n", 4, "one| + |two")
    assert [entry.see(length) for length in (2, 3, 4, 9, 5)] == [1, 0, 1, 1, 0]


def test_what_comes_behind_a_line_is_found_when_the_user_gets_there() -> None:
    remembered = Cache()
    line = put(remembered, "x = \n", 4, "1")
    following = line.behind("1\n")
    assert not remembered.holds(following)
    following.take(Token("y = 2", 0.5))
    following.complete = True
    remembered.put(following)
    assert remembered.holds(line.behind("1\n"))
    assert find(remembered, "x = 1\n\n", 6) == "y = 2"


def test_typing_through_a_bracket_that_the_editor_closes() -> None:
    remembered = Cache()
    put(remembered, "print\n", 5, "(na|me)")
    assert find(remembered, "print()\n", 6) == "name)"
    assert find(remembered, "print)\n", 5) is None


def test_a_change_above_makes_it_forget() -> None:
    remembered = Cache()
    put(remembered, "a = 1\nb = \n", 10, "2")
    assert find(remembered, "a = 3\nb = \n", 10) is None


def test_documents_are_kept_apart() -> None:
    remembered = Cache()
    put(remembered, "b = \n", 4, "2")
    assert find(remembered, "b = \n", 4, "file:///other.py") is None


def test_the_oldest_is_forgotten() -> None:
    remembered = Cache()
    texts = [f"v{number} = \n" for number in range(cache.KEPT + 1)]
    for text in texts:
        put(remembered, text, len(text) - 1, "2")
    assert find(remembered, texts[0], len(texts[0]) - 1) is None
    assert find(remembered, texts[1], len(texts[1]) - 1) == "2"


def test_a_cut_token_keeps_its_probability() -> None:
    remembered = Cache()
    put(remembered, "x = \n", 4, "abc|def")
    found = remembered.find(snapshot("x = ab\n"), 6)
    assert found is not None
    assert found[1].tokens == (Token("c", 0.5), Token("def", 0.5))
