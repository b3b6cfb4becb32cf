"""Texts that editors send: other line ends, lone surrogates, and deep, wide and huge texts."""

from __future__ import annotations

import json

import pytest

URI = "file:///project/main.py"
OTHER = "file:///project/other.py"
ADD = "def add(a, b):\n    \n"
CALL = "def f(items):\n    \n"
LOOP = [{"after": "def f(items):\n    ", "answer": "for item in items:\n        use(item)\n"}]
DEEP = {
    "yaml sequences": ("a.yaml", "yaml", "- " * 10_000 + "a"),
    "yaml keys": ("a.yaml", "yaml", "".join(f"{' ' * level}a:\n" for level in range(2_000))),
    "yaml behind a comment": ("a.yaml", "yaml", f"# a\n{'? ' * 3_000}\n"),
    "yaml behind a quote": ("a.yaml", "yaml", '"a" ' + "- " * 3_000 + "b\n"),
    "maps in lists": ("a.yaml", "yaml", "".join(f"{'  ' * n}- a:\n" for n in range(1_000))),
    "arrays": ("a.json", "json", "[" * 50_000),
    "closed arrays": ("a.json", "json", "[" * 20_000 + "]" * 20_000),
    "brackets": ("a.py", "python", "(" * 50_000),
    "closed brackets": ("a.js", "javascript", "[" * 20_000 + "]" * 20_000),
    "modules": ("a.rs", "rust", "mod a{\n" * 3_500),
    "quotes": ("a.md", "markdown", "> " * 5_000 + "a"),
    "elements": ("a.html", "html", "<a>" * 20_000),
    "interpolations": ("a.cs", "csharp", '$"{' * 3_000),
    "templates": ("a.ts", "typescript", "`${" * 3_000),
    "here documents": ("a.rb", "ruby", "<<A\n" * 3_000),
}


def test_an_answer_has_the_files_own_line_ends(ready) -> None:
    for end in ("\n", "\r\n", "\r"):
        client = ready(answers=LOOP)
        client.open(URI, CALL.replace("\n", end))
        [item] = client.items(client.ask(URI, 1, 4))
        assert item["insertText"] == f"for item in items:{end}        use(item)"
        # The user types it, and the rest comes from the cache.
        client.change(URI, 2, (1, 4), (1, 4), f"for item in items:{end}        u")
        [item] = client.items(client.ask(URI, 2, 9))
        assert item["insertText"] == "se(item)"
        assert client.status()["requests"]["cached"] == 1


def test_the_popup_has_the_files_own_line_ends(start) -> None:
    client = start(answers=LOOP)
    client.initialize(textDocument={})
    client.open(URI, CALL.replace("\n", "\r\n"))
    position = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 4}}
    [item] = client.request("textDocument/completion", position)["items"]
    assert item["textEdit"]["newText"] == "for item in items:\r\n        use(item)"


def test_a_prompt_has_line_feeds_only(ready) -> None:
    client = ready()
    client.open(URI, "a = 1\r\nb = 2\rc = 3\n")
    place = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 3}}
    command = {"command": "mistralLsp.explain", "arguments": [place]}
    parts = client.request("workspace/executeCommand", command)["parts"]
    assert "\r" not in "".join(part["text"] for part in parts)


def test_a_character_that_comes_in_halves_is_one(ready) -> None:
    client = ready(answers=[{"after": "s = '\U0001f600' + ", "answer": "name\n"}])
    client.open(URI, "s = '' + \n")
    client.change(URI, 2, (0, 5), (0, 5), "\ud83d")
    assert client.items(client.ask(URI, 0, 10)) == []
    assert "error" not in client.response(client.ask(URI, 0, 6))[1]
    client.change(URI, 3, (0, 6), (0, 6), "\ude00")
    assert client.items(client.ask(URI, 0, 11))[0]["insertText"] == "name"


def test_half_a_character_costs_nothing_else(ready) -> None:
    client = ready(answers=[{"after": "b = ", "answer": "a\n"}])
    client.open(URI, "a = '\ud83d'\nb = \n")
    assert client.items(client.ask(URI, 1, 4))[0]["insertText"] == "a"
    assert client.close() == 0


def test_the_same_version_of_another_text_gets_no_answer_of_the_first(ready) -> None:
    client = ready(delay_ms=20)
    client.open(URI, ADD)
    number = client.ask(URI, 1, 4)
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    client.open(URI, "x = 1\n    \n")
    assert client.items(number) == []


@pytest.mark.parametrize(("name", "language", "text"), DEEP.values(), ids=DEEP)
def test_no_text_ends_the_server_or_keeps_another_file(ready, name, language, text) -> None:
    client = ready()
    client.open(OTHER, ADD)
    uri = f"file:///project/{name}"
    client.open(uri, text, language)
    line = text.count("\n")
    first = client.ask(uri, line // 2, 3)
    assert client.items(client.ask(OTHER, 1, 4))
    client.change(uri, 2, (line // 2, 0), (line // 2, 0), "x")
    second = client.ask(uri, line // 2, 1, kind=1)
    assert client.items(client.ask(OTHER, 1, 4))
    assert "error" not in client.response(first)[1]
    assert "error" not in client.response(second)[1]
    assert client.close() == 0


def test_a_file_that_is_too_large_says_so_and_costs_the_others_nothing(ready) -> None:
    client = ready()
    client.open(OTHER, ADD)
    client.open(URI, "x = 1\n" * 500_000)
    assert client.items(client.ask(URI, 3, 0)) == []
    assert "too large (3,000,000 characters)" in client.status()["last_request"]["reason"]
    client.change(URI, 2, (0, 0), (0, 0), "y")
    assert client.items(client.ask(OTHER, 1, 4))
    whole = {"textDocument": {"uri": URI, "version": 3}, "contentChanges": [{"text": ADD}]}
    client.notify("textDocument/didChange", whole)
    assert client.items(client.ask(URI, 1, 4))


@pytest.mark.parametrize("count", [19_000, 200_000])
def test_a_flood_of_edits_in_one_line_is_given_up_and_told(ready, count) -> None:
    client = ready()
    client.open(OTHER, ADD)
    client.open(URI, "x = 1\n")
    start = {"line": 0, "character": 0}
    edits = [{"range": {"start": start, "end": start}, "text": "é" * 20}] * count
    change = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": edits}
    client.notify("textDocument/didChange", change)
    assert client.items(client.ask(OTHER, 1, 4))
    assert "main.py" in client.wait_for("window/showMessage")["params"]["message"]
    assert client.items(client.ask(URI, 0, 1)) == []
    assert "open it again" in client.status()["last_request"]["reason"]


def test_what_an_editor_says_is_still_said_in_order(ready) -> None:
    """An older request, whose file a thread has to parse first, does not displace a newer one."""
    client = ready(delay_ms=2)
    client.open(OTHER, ADD)
    client.open(URI, json.dumps({f"key{number}": number for number in range(20_000)}, indent=1))
    older = client.ask(URI, 10_000, 5)
    newer = client.ask(OTHER, 1, 4)
    assert client.items(newer)
    assert client.items(older) == []
