"""Parses random texts with every grammar: no text may end the process or block it for long.

Run as `python -m bench.soak grammars --texts 100000`. A grammar is native code in the server's
process. The texts are made from the tests' files by cutting, repeating and deep nesting. A child
process parses each text, edits it, and asks the same questions of the tree as the server does.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from mistral_lsp import languages
from mistral_lsp.context.cursor import read_cursor
from mistral_lsp.context.definitions import read_definitions
from mistral_lsp.document import Document
from mistral_lsp.types import Span

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
LONGEST_TEXT = 8_000
BEGUN = "begun"
"""Printed in place of a question's description when a text is begun."""
LONGEST_SECONDS = 30.0
"""The most seconds for one text. After that, the process counts as hanging, and is killed."""
Question = tuple[float, str]
"""The processor seconds that one question about a text took, and the question's description."""
UNITS = (
    *"([{<\"'`#|&!-=~^*_/\\$@:;,.?%+\t\n\r\0\ufeffé😀\u2028",
    *(
        "- ",
        "? ",
        ": ",
        "> ",
        "* ",
        "1. ",
        "${",
        "#{",
        '"#{',
        "$(",
        '"${',
        '$"{',
        '@"',
        'f"{',
        "`${",
    ),
    *("<a>", "<div><p>", "<!--", "<![CDATA[", "<script>", "</", "<?php ", "?>", "<%", "{{", "{%"),
    *("/*", "//", "--[[", "--[==[", "[[", 'r#"', 'R"x(', "<<A\n", "<<-A ", "<<~A\n", "$$", "$a$"),
    *("%w[", "%q(", '"""', "'''", '"""{', '$"""{', '$$"""{{', "```\n", "~~~\n", "---\n", "...\n"),
    *("if a:\n", "begin\n", "mod a{", "a:\n", "a: ", "- a:\n", "- - ", "{a: ", "[a: ", '"a": '),
    *("a(", "a[", "a{", "a<", "a.b(", "new ", "class A{", "fn f(){", "def f():\n", "lambda: "),
    *(
        "do ",
        "then ",
        "case a: ",
        "a => ",
        "x for x in ",
        "::",
        "a::<",
        '<a b="',
        "|\n ",
        "&a ",
        "!a ",
    ),
)
COUNTS = (1, 2, 5, 40, 260, 600, 2000)
LENGTHS = (20, 24, 40, 56, 250, 256, 300, 1020, 1030, 3000)


def run(texts: int, seed: int = 1) -> dict[str, Any]:
    """Tries `texts` texts, equally many for each grammar. `wrongs` has the texts that failed."""
    started = time.perf_counter()
    wrongs: list[str] = []
    slowest = (0.0, "")
    each = -(-texts // len(languages.LANGUAGES))
    for language in languages.LANGUAGES:
        first = 0
        while first < each:
            reached, question, end = _try(language.name, seed, first, each)
            slowest = max(slowest, question)
            if end is None:
                break
            wrongs.append(f"{language.name} {seed} {reached}: {end}")
            first = reached + 1
    return {
        "texts": each * len(languages.LANGUAGES),
        "deaths": len(wrongs),
        "slowest_s": round(slowest[0], 2),
        "slowest_question": slowest[1],
        "seconds": round(time.perf_counter() - started, 1),
        "wrongs": wrongs[:20],
    }


def _try(name: str, seed: int, first: int, last: int) -> tuple[int, Question, str | None]:
    """Runs a child process with the texts `first` to `last - 1`.

    Gives the latest text's number, the slowest question, and how the process failed (None: it did
    not).
    """
    command = [sys.executable, "-m", "bench.soak.grammars", name, str(seed), str(first), str(last)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    reached, slowest = first, (0.0, "")
    hanging = threading.Timer(LONGEST_SECONDS, process.kill)
    hanging.start()
    for line in process.stdout:
        number, seconds, question = line.split()
        reached = int(number)
        slowest = max(slowest, (float(seconds), f"{name} {seed} {number} {question}"))
        if question == BEGUN:
            hanging.cancel()
            hanging = threading.Timer(LONGEST_SECONDS, process.kill)
            hanging.start()
    code = process.wait()
    hanging.cancel()
    return reached, slowest, None if code == 0 else f"ended with {code}"


def seeds(name: str) -> list[str]:
    """Gives the tests' texts in a language, of which random texts are made."""
    return [path.read_text("utf-8") for path in sorted((FIXTURES / name).glob("*.case"))] or ["x\n"]


def make_text(name: str, seed: int, number: int, texts: list[str]) -> str:
    """Makes a random text, the same for the same arguments."""
    chance = Random(f"{name} {seed} {number}")
    text = chance.choice(texts) if chance.random() < 0.8 else "a"
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(text))
        if chance.random() < 0.5:
            start = text.rfind("\n", 0, start) + 1
        end = chance.randint(start, min(len(text), start + 400))
        change: Change = chance.choice(CHANGES)
        text = text[:start] + change(chance, text[start:end], texts) + text[end:]
    return text[:LONGEST_TEXT]


def _left_out(chance: Random, text: str, texts: list[str]) -> str:
    return ""


def _repeated(chance: Random, text: str, texts: list[str]) -> str:
    return text * chance.randint(2, 30)


def _another(chance: Random, text: str, texts: list[str]) -> str:
    other = chance.choice(texts)
    start = chance.randint(0, len(other))
    return other[start : start + 300]


def _nested(chance: Random, text: str, texts: list[str]) -> str:
    unit: str = chance.choice(UNITS)
    return unit * chance.choice(COUNTS) + text


def _nested_on_lines(chance: Random, text: str, texts: list[str]) -> str:
    unit, step = chance.choice(UNITS), chance.choice((1, 1, 2, 4))
    levels = range(chance.choice((5, 50, 260)))
    return "".join(f"{' ' * (level * step)}{unit}\n" for level in levels) + text


def _mixed(chance: Random, text: str, texts: list[str]) -> str:
    return "".join(chance.choice(UNITS) for _ in range(chance.randint(1, 60))) + text


def _long_word(chance: Random, text: str, texts: list[str]) -> str:
    marks = ("", "$", "<<", "<<~", 'R"', "r#", "[=", "%q", '"""', "&", "*", "!", "<")
    mark = chance.choice(marks)
    word = chance.choice("aé_=#") * chance.choice(LENGTHS)
    return (mark + word + chance.choice(("", "$", "\n", "(", '"', "[", ">"))) * chance.choice(
        (1, 2, 60)
    )


def _bytes(chance: Random, text: str, texts: list[str]) -> str:
    data = bytearray(text.encode("utf-8", "replace"))
    for place in range(0, len(data), 7):
        data[place] = chance.randrange(256)
    return data.decode("utf-8", "replace")


Change = Callable[[Random, str, list[str]], str]
CHANGES: tuple[Change, ...] = (
    _left_out,
    _repeated,
    _another,
    _nested,
    _nested,
    _nested_on_lines,
    _mixed,
    _long_word,
    _bytes,
)


def _child(name: str, seed: int, first: int, last: int) -> None:
    """Asks all questions about the texts. Prints a line for each text begun and each question."""
    language = next(one for one in languages.LANGUAGES if one.name == name)
    texts = seeds(name)
    for number in range(first, last):
        print(number, 0, BEGUN, flush=True)
        text = make_text(name, seed, number, texts)
        document = Document(f"file:///{number}", f"{number}", language, 0, text)
        _ask_all(number, document)
        place = document.snapshot().place(len(document.snapshot().text) // 2)
        document.replace(place, place, UNITS[number % len(UNITS)])
        document.version += 1
        _ask_all(number, document)


def _ask_all(number: int, document: Document) -> None:
    snapshot = document.snapshot()
    middle = len(snapshot.text) // 2
    with _timed(number, "parse"):
        tree = snapshot.tree
    with _timed(number, "cursor"):
        read_cursor(snapshot, middle)
    if tree is None:
        return
    with _timed(number, "scopes"):
        tree.scopes(middle)
    with _timed(number, "errors"):
        tree.count_errors()
    with _timed(number, "definition_starts"):
        tree.definition_starts(Span(middle // 2, middle))
    with _timed(number, "definitions"):
        read_definitions(snapshot.path, snapshot.text, tree)
    with _timed(number, "replaced"):
        snapshot.replaced(middle, middle, "\nx").tree  # noqa: B018


@contextmanager
def _timed(number: int, question: str) -> Iterator[None]:
    """Prints the processor time of the `with` block, which other programs do not affect."""
    begun = time.thread_time()
    yield
    print(number, round(time.thread_time() - begun, 3), question, flush=True)


if __name__ == "__main__":
    _child(sys.argv[1], *map(int, sys.argv[2:]))
