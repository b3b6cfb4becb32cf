"""Texts that crash a grammar's native code are not parsed, and all other texts are."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from mistral_lsp import languages
from mistral_lsp.document import Document
from mistral_lsp.syntax.fatal import may_crash
from mistral_lsp.syntax.grammars import SHORTEST_PART
from tests.support.waiting import PATIENCE_SECONDS

EDIT = """
import sys
from mistral_lsp import languages
from mistral_lsp.document import Document

text = sys.stdin.read()
document = Document("file:///a", "a", languages.find("ruby"), 0, text)
document.snapshot().tree
place = document.snapshot().place(len(text) // 2)
document.replace(place, place, "x")
document.version += 1
document.snapshot().tree
"""
PARSE = """
import sys
from mistral_lsp import languages
from mistral_lsp.document import Document

text = sys.stdin.read()
assert Document("file:///a", "a", languages.find("kotlin"), 0, text).snapshot().tree is not None
"""
ENDLESS = """{a
a \n\x04{{stOf<T>()

    fun pop(): T {
        )
    }
}
-- @context --
region: code
in: class Stack<T>
in: fun pop(): T
one"
        else -> "many"
    }
}

fun main() {}
┤
}
-- @postprocess --
├return when (x) {
        1 -> "one"
        else -> "m"""
"""Kotlin's grammar never comes to the end of this text, unless it is stopped."""
LONG = "<<" + "é" * 300


@pytest.mark.parametrize("around", [7, 8])
def test_an_edit_among_long_heredoc_words_ends_no_process(around: int) -> None:
    text = "[".join([*[LONG] * around, "<<" + "é" * 91, *[LONG] * around])
    done = subprocess.run([sys.executable, "-c", EDIT], input=text, text=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ruby", f"x = <<~{'A' * 300}\n"),
        ("ruby", f'x = <<"{"a " * 200}"\n'),
        ("ruby", "f(" + ", ".join(f"<<~{'W' * 60}{n}" for n in range(20)) + ")\n"),
        ("ruby", "".join(f"<<~WORD{n}\n#{{\n" for n in range(100))),
        ("ruby", "<<A\n" * 3_000),
        ("bash", f"cat <<{'A' * 300}\n"),
        ("bash", f"cat <<-'{'A' * 300}'\n"),
        ("bash", "cat " + " ".join(f"<<W{n}" for n in range(200)) + "\n"),
        ("php", f"<?php $a = <<<{'A' * 300}\n"),
        ("php", "<?php f(" + ", ".join(f"<<<'W{n}'" for n in range(200))),
    ],
)
def test_long_and_many_heredocs_are_not_parsed(name: str, text: str) -> None:
    assert may_crash(languages.find(name), text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ruby", "sql = <<~SQL\n  SELECT 1\nSQL\n" * 500),
        ("ruby", "f(<<~A, <<~B)\n  a\nA\n  b\nB\n" * 500),
        ("ruby", "x = <<~A.strip\n  #{<<~B}\n  b\n  B\n  c\nA\n" * 200),
        ("ruby", "list << 'a string of many words' << other\n" * 500),
        ("bash", "cat <<EOF > file\ntext $a\nEOF\n" * 500),
        ("bash", "cat <<-'END OF IT'\n\ttext\n\tEND OF IT\n" * 500),
        ("php", "<?php\n" + "$a = <<<HTML\n<p>\nHTML;\n" * 500),
    ],
)
def test_ordinary_heredocs_are_parsed(name: str, text: str) -> None:
    assert not may_crash(languages.find(name), text)


@pytest.mark.parametrize("name", ["c", "java"])
@pytest.mark.parametrize("unit", ["a => ", "a_name => ", "the_name_of_something_else => "])
@pytest.mark.parametrize("pasted", [False, True])
def test_what_a_text_leaves_open_does_not_block_the_process(name, unit, pasted) -> None:
    """If a text that repeats `unit` were parsed, one step of the parser would take minutes."""
    text = unit * (100_000 // len(unit))
    document = Document("file:///a", "a", languages.find(name), 1, "" if pasted else text)
    begun = time.thread_time()
    if pasted:
        assert document.snapshot().tree is not None
        document.replace((0, 0), (0, 0), text)
        document.version += 1
    assert document.snapshot().tree is None
    assert time.thread_time() - begun < PATIENCE_SECONDS / 10


def test_an_end_that_never_ends_alone_is_given_up() -> None:
    """The whole text is parsed quickly."""
    text = "class A {\n" + ENDLESS.rjust(SHORTEST_PART)
    command = [sys.executable, "-c", PARSE]
    subprocess.run(command, input=text, text=True, timeout=PATIENCE_SECONDS, check=True)


@pytest.mark.parametrize(
    "text",
    [
        "a => " * 600 + "// c\n" * 80_000,
        "int x;\n" * 14_000 + "a => " * 1_800 + "1 " * 47_500,
        "int x;\n" * 7_000 + "a => " * 800 + "// c\n" * 7_000,
    ],
    ids=["at the beginning", "near the end", "in the middle"],
)
def test_what_is_open_anywhere_does_not_block_the_process(text: str) -> None:
    begun = time.thread_time()
    Document("file:///a", "a.c", languages.find("c"), 1, text).snapshot().tree  # noqa: B018
    assert time.thread_time() - begun < PATIENCE_SECONDS / 6


@pytest.mark.parametrize("name", ["c", "java"])
def test_a_long_text_that_leaves_nothing_open_is_parsed(name) -> None:
    text = "a => " * 20 + ";\n" + "int x;\n" * 20_000
    assert Document("file:///a", "a", languages.find(name), 1, text).snapshot().tree is not None
