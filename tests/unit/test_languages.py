"""Checks every language file against its grammar."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import tree_sitter
from hypothesis import given, settings, strategies

from mistral_lsp.document import Document
from mistral_lsp.languages import LANGUAGES, find
from mistral_lsp.languages.base import PLAIN, Language
from mistral_lsp.syntax import trees
from mistral_lsp.types import Span

BROKEN = """\
#!/x
/* a # b -- c
def f(x): if (a { [ "b' `c` <d e='
\tthen do |x| => -> ]) } end ;; esac <!-- é 🦀
key: - [1, {2: \\
"""
TEXT = strategies.text(alphabet="ab \n\r\t(){}[]<>/*#-=:;'\"`$|!\\é🦀", max_size=40)

every_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)


def grammar(language: Language) -> tree_sitter.Language:
    module, function = language.grammar.split(":")
    return tree_sitter.Language(getattr(importlib.import_module(module), function)())


@every_language
def test_every_kind_of_node_is_one_of_the_grammar(language: Language) -> None:
    loaded = grammar(language)
    known = {loaded.node_kind_for_id(number) for number in range(loaded.node_kind_count)}
    named = (
        language.comment_nodes
        | language.string_nodes
        | language.interpolation_nodes
        | language.definition_nodes
        | language.body_nodes
    )
    assert named, "a language says something about its nodes"
    assert named <= known, f"{language.name}: {sorted(named - known)}"


@every_language
def test_patterns_compile(language: Language) -> None:
    for pattern in (
        language.block_opener,
        language.block_middle,
        language.block_closer,
        language.item_mark,
        language.block_comment,
    ):
        assert not re.compile(pattern).search(""), "a blank line is no part of a pattern"


@pytest.mark.parametrize("keys", ["ids", "suffixes", "names"])
def test_no_two_languages_share_a_key(keys: str) -> None:
    counted = Counter(key for language in LANGUAGES for key in getattr(language, keys))
    assert [key for key, count in counted.items() if count > 1] == []
    if keys == "suffixes":
        assert all(key == key.lower() and key.startswith(".") for key in counted)


@pytest.mark.parametrize(
    ("language_id", "path", "name"),
    [
        ("typescriptreact", "a.txt", "tsx"),  # the editor knows best
        ("plaintext", "a.go", "go"),
        ("", "src/Main.CS", "csharp"),
        ("sh", "run", "bash"),
        ("shellscript", "run", "bash"),
        ("cs", "a", "csharp"),
        ("jsonc", "settings", "json"),
        ("", "home/.bashrc", "bash"),
        ("", "app/Gemfile", "ruby"),
        ("", "Cargo.lock", "toml"),
        ("", "composer.lock", "json"),
        ("", "yarn.lock", "plain"),
        ("objective-c", "a.m", "plain"),
        ("", "", "plain"),
    ],
)
def test_a_language_is_found(language_id: str, path: str, name: str) -> None:
    assert find(language_id, path).name == name


@every_language
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_broken_code_has_places(language: Language, line_end: str) -> None:
    text = BROKEN.replace("\n", line_end)
    tree = trees.parse(language, text)
    assert tree is not None
    for offset in range(len(text) + 1):
        assert tree.region(offset) in ("code", "comment", "string")
        for scope in tree.scopes(offset):
            assert 0 <= scope.span.start <= scope.header.end <= scope.span.end <= len(text)
    assert tree.definition_starts(Span(0, len(text))) is not None


@every_language
@settings(max_examples=25, deadline=None)
@given(before=TEXT, typed=TEXT, cut=strategies.integers(0, 40))
def test_edits_never_fail(language: Language, before: str, typed: str, cut: int) -> None:
    document = Document("file:///a", "a", language, 1, BROKEN + before)
    document.snapshot()
    document.replace((2, cut), (3, cut), typed)
    document.version += 1
    snapshot = document.snapshot()
    assert snapshot.tree is not None
    for offset in range(0, len(snapshot.text), 7):
        snapshot.tree.region(offset)
        snapshot.tree.scopes(offset)


COMMENTS = {
    "python": "# note|\n",
    "javascript": "x = 1; // note|\n",
    "typescript": "x = 1; // note|\n",
    "tsx": "x = 1; // note|\n",
    "go": "var x = 1 // note|\n",
    "rust": "// note|\nfn f() {}\n",
    "java": "class A {} // note|\n",
    "kotlin": "val x = 1 // note|\n",
    "c": "int x; // note|\n",
    "cpp": "int x; // note|\n",
    "csharp": "class A {} // note|\n",
    "php": "<?php\n$x = 1; // note|\n",
    "ruby": "x = 1 # note|\n",
    "lua": "x = 1 -- note|\n",
    "bash": "x=1 # note|\n",
    "sql": "SELECT 1; -- note|\n",
    "html": "<p>a</p>\n<!-- note| -->\n",
    "css": ".a { color: red; /* note| */ }\n",
    "json": '{"a": 1} // note|\n',
    "yaml": "a: 1 # note|\n",
    "toml": "a = 1 # note|\n",
}


@pytest.mark.parametrize("name", sorted({language.name for language in LANGUAGES} - {"markdown"}))
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("indentation", ["", "\t", "  \t"])
def test_comments_are_known_with_any_line_end_and_tabs(name, line_end, indentation) -> None:
    text = COMMENTS[name] if name == "yaml" else indentation + COMMENTS[name]
    before, behind = text.replace("\n", line_end).split("|")
    language = next(language for language in LANGUAGES if language.name == name)
    tree = trees.parse(language, before + behind)
    assert tree.region(len(before)) == "comment"
    assert tree.region(len(before + behind)) == "code"


@every_language
def test_deep_nesting_is_no_recursion(language: Language) -> None:
    text = "[" * 3000 + "]" * 3000
    tree = trees.parse(language, text)
    assert tree.definition_starts(Span(0, len(text))) is not None
    assert tree.region(3000) in ("code", "string")


@pytest.mark.parametrize("grammar", ["no_such_wheel:language", "json:no_such_function"])
def test_a_grammar_that_does_not_load_costs_only_the_tree(grammar: str) -> None:
    assert trees.parse(replace(PLAIN, grammar=grammar), "x") is None


def test_a_server_starts_without_any_grammar() -> None:
    found = (
        "import sys, mistral_lsp.server.serve;"
        "print([name for name in sys.modules if name.startswith('tree_sitter_')])"
    )
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_asks_for_every_grammar() -> None:
    required = Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8")
    for language in LANGUAGES:
        wheel = language.grammar.split(":")[0].replace("_", "-")
        assert f'"{wheel}>=' in required, f"{wheel} is not among the dependencies"


def test_every_language_is_found_by_its_ids() -> None:
    assert len({language.name for language in LANGUAGES}) == len(LANGUAGES)
    assert all(find(key) is language for language in LANGUAGES for key in language.ids)
