"""`limit_lines` cuts an answer where its block ends, in any language; a stream stops there too."""

from __future__ import annotations

import pytest

from mistral_lsp import languages
from mistral_lsp.postprocess.base import Situation, Suggestion, opens_block
from mistral_lsp.postprocess.limit_lines import is_over, limit_lines
from mistral_lsp.syntax import nesting
from mistral_lsp.types import Answer

OPENERS = {
    "python": ["def f():", "else:  "],
    "javascript": ["if (a) {", "} else {", "const a = {"],
    "go": ["func f() {", "import (", "a := []int{"],
    "rust": ["impl<T> A<T> for B", "let a = vec![", "pub(crate) async fn f(", "else {"],
    "java": ["class A {", "call(", "int[] a = {"],
    "kotlin": ["fun f() =", "names.map { name ->", "1 -> {"],
    "c": ["int f(void)", "struct a", "typedef enum", "} else", "do", "int a[] = {"],
    "cpp": ["int f() const", "class A : public B", "namespace a", "try", "enum class A"],
    "csharp": ["if (a)", "get", "x =>", "public class A : B", "record A", "namespace A"],
    "php": ["function f(): int", "if ($a):", "return [", "final class A", "} else"],
    "ruby": ["def f(a)", "def a=(b)", "x = if a", "a do |b, c|", "a {|b|", "class A < B", "when 1"],
    "lua": ["if a then", "for i = 1, 2 do", "local f = function(a)", "else", "return {"],
    "bash": ["if a; then", "f() {", "f()", "case $a in", "while read a; do", "a=(", "run \\"],
    "html": ["<p>", '<a href="/">', "<DIV>", "<script>", "<a"],
    "css": [".a {", "@media print {", "color: rgb("],
    "json": ["{", '"a": [', '"a": [{'],
    "yaml": ["a:", "- a:", "a: |", "a: >-"],
    "toml": ["a = ["],
    "sql": ["select a", "CREATE TABLE a (", "BEGIN", "with a as ("],
}  # fmt: skip

NO_OPENERS = {
    "python": ["x = 1", "f(", ""],
    "javascript": ["f(", "a = b;", "}"],
    "go": ["x := 1", "}", "return []int{1}"],
    "rust": ["struct A(u32);", "let f = 1;", "use a::b;", "fn f() {}"],
    "java": ["int x = 1;", "@Override", "}"],
    "kotlin": ["val x = 1", "import a.b"],
    "c": ["int f(void);", "#define A(x) (x)", "#include <a.h>", "struct a b;", "x = f(1);"],
    "cpp": ["class A;", "using namespace std;", "enum A a = B;", "public:"],
    "csharp": ["public int A { get; set; }", "private int a = 1;", "namespace A;", "using A;"],
    "php": ["use A;", "$a = 1;", "private int $a = 1;", "fn() => 1,"],
    "ruby": ["def f = 1", "def f(a) = a", "return if a", "if a then b end", "redo", "ended"],
    "lua": ["if a then return end", "local a = f(b)", "x = 1"],
    "bash": ["echo a", "for a in b; do c; done", "if a; then b; fi", "echo done"],
    "html": ["<br>", "<img src='a'>", "<li>a</li>", "</p>", "<br/>", "a"],
    "css": ["color: red;", "}"],
    "json": ['"a": 1,', "}"],
    "yaml": ["a: 1", "- a", "a: b:c"],
    "toml": ["[a]", "a = 1"],
    "sql": ["SELECT 1;", "delete from a;", "BEGIN;"],
    "markdown": ["# a", "text:", "- a {"],
    "plain": ["a {", "a:"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, lines in OPENERS.items() for line in lines]
)
def test_opens_a_block(name: str, line: str) -> None:
    assert opens_block(line, language(name))
    assert opens_block(f"\t  {line}\r\n", language(name))


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, lines in NO_OPENERS.items() for line in lines]
)
def test_opens_no_block(name: str, line: str) -> None:
    assert not opens_block(line, language(name))


BLOCKS = {
    "a line": ("python", "x = 1\n", "y"),
    "an indented block": ("python", "if a:\n    b\n\n    c\n", "else:\n    d\n"),
    "tabs": ("python", "if a:\n\tb\n\t\tc\n", "d\n"),
    "a tab is as deep as eight blanks": ("c", "        if (a) {\n\t\tb();\n\t}\n", "c();\n"),
    "blanks deeper than a tab": ("go", "\tif a {\n          b()\n\t}\n", "\tc()\n"),
    "a block within": ("java", "if (a) {\n  if (b) {\n  }\n}\n", "c();\n"),
    "nothing closes it": ("javascript", "if (a) {\n  b;\n", "c;\n"),
    "an outer line closes": ("javascript", "  if (a) {\n    b;\n", "}\n"),
    "two closers": ("ruby", "a do\n  b\nend\n", "end\n"),
    "a word that begins like a keyword": ("ruby", "a do\n  b\n", "ending = 1\n"),
    "a loop that tests last": ("c", "do {\n  a();\n} while (b);\n", "c();\n"),
    "a constructor chain": ("csharp", "A(int b)\n    : this(b)\n{\n}\n", "B()\n"),
    "a pipe": ("bash", "a | while read b; do\n  c\ndone | sort\n", "d\n"),
    "several conditions": ("bash", "if a; then\n  b\nelif c; then\n  d\nfi\n", "e\n"),
    "a rescue": ("ruby", "begin\n  a\nrescue B => e\n  c\nensure\n  d\nend\n", "e\n"),
    "a subquery": ("sql", "SELECT a\nFROM (\n  SELECT b\n) c\nWHERE d;\n", "SELECT e;\n"),
    "a trigger": ("sql", "CREATE TRIGGER a\nBEGIN\n  SELECT 1;\nEND;\n", "SELECT 2;\n"),
    "a sequence within a sequence": ("yaml", "- a:\n  - b\n  - c\n", "- d\n"),
    "a list of objects": ("json", "[{\n}, {\n}]\n", "x\n"),
    "a style": ("html", "<style>\n  a {\n  }\n</style>\n", "<p>\n"),
    "prose": ("markdown", "text:\n", "more\n"),
    "an unknown language": ("plain", "a {\n", "  b\n}\n"),
}


every_block = pytest.mark.parametrize(("name", "kept", "behind"), BLOCKS.values(), ids=BLOCKS)


@every_block
def test_a_block_ends(name: str, kept: str, behind: str) -> None:
    assert shown(kept + behind, name) == kept


@every_block
def test_an_answer_stops_where_it_is_cut(name: str, kept: str, behind: str) -> None:
    text = kept + behind
    over = [length for length in range(len(text) + 1) if is_over(text[:length], situation(name))]
    assert over == list(range(over[0], len(text) + 1)), "what is over stays so"
    assert over[0] >= len(kept.rstrip()), "nothing that is kept is missed"
    assert {shown(text[:length], name).rstrip() for length in over} == {kept.rstrip()}


@every_block
def test_whole_lines_that_are_shown_stay(name: str, kept: str, behind: str) -> None:
    for length in range(len(kept + behind)):
        growing = shown((kept + behind)[:length], name)
        assert kept.startswith(growing[: growing.rfind("\n") + 1])


def test_the_first_letters_of_a_closing_word_do_not_end_a_block() -> None:
    place = situation("ruby")
    text = "a do\n  b\n"
    assert not is_over(f"{text}en", place)
    assert not is_over(f"{text}end", place)
    assert is_over(f"{text}end\n", place)
    assert is_over(f"{text}enlarge x", place)
    # Should the answer end there, half a word is not shown.
    assert limit_lines(Suggestion(f"{text}en"), place).text == text
    assert limit_lines(Suggestion(f"{text}end"), place).text == f"{text}end"


def test_python_does_not_wait_for_a_word() -> None:
    assert is_over("if a:\n    b\ne", situation("python"))


def shown(text: str, name: str) -> str:
    return limit_lines(Suggestion(text), situation(name)).text


def language(name: str):
    known = (*languages.LANGUAGES, languages.PLAIN)
    return next(language for language in known if language.name == name)


def situation(name: str) -> Situation:
    found = language(name)
    at_start = nesting.at_line(found, "")
    return Situation("", "", "", at_start, False, "", found, "auto", 0.0, Answer(()))
