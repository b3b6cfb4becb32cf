"""The memory used for other files is bounded, whatever these files contain."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from mistral_lsp import languages
from mistral_lsp.context import definitions, index as indexes, similar
from mistral_lsp.context.definitions import Defined, FileDefinitions, read_definitions
from mistral_lsp.context.files import Stamp
from mistral_lsp.context.index import Index, Known
from mistral_lsp.context.similar import Nearby
from mistral_lsp.syntax import trees

RUST = languages.find("rust")


def defined(text: str) -> tuple[Defined, ...]:
    tree = trees.parse(RUST, text)
    assert tree is not None
    return read_definitions("a.rs", text, tree).definitions


def test_definitions_below_very_many_others_are_left_out() -> None:
    found = defined("mod a{\n" * 500 + "}\n" * 500 + "fn last() {}\n")
    assert [one.name for one in found] == ["a"] * (definitions.MOST_AROUND + 1) + ["last"]
    assert max(len(one.within) for one in found) == definitions.MOST_AROUND


def test_a_file_has_so_many_definitions_and_a_name_so_many_letters() -> None:
    many = definitions.MOST_DEFINITIONS + 10
    assert len(defined("fn f() {}\n" * many)) == definitions.MOST_DEFINITIONS
    assert defined(f"fn {'x' * 500}() {{}}\n") == ()
    assert defined(f"mod {'x' * 500} {{\n fn f() {{}}\n}}\n") == ()


HEAVY = {
    "ordinary": ("function", ("Class",), "def function(self, first, second):"),
    "short": ("ab", (), "x"),
    "long": ("a" * 80, ("b" * 80,) * 8, "\U0001f980" * 240),
}


def filled(kind: str) -> Index:
    name, within, text = HEAVY[kind]
    index = Index()
    for number in range(3000):
        found = [
            # As they come from the scan: every text is one of its own.
            Defined(f"{name}{number}_{n}", tuple(f"{one}{n}" for one in within), f"{text}{n}")
            for n in range(20)
        ]
        index.put(FileDefinitions(f"folder/file{number}.py", tuple(found)), Path("/work"))
    return index


@pytest.mark.parametrize("kind", HEAVY)
def test_the_index_takes_about_as_much_memory_as_it_says(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(indexes, "MOST_BYTES", 3_000_000)
    taken = []
    for _ in range(3):  # at some time, the table of interned strings grows, by megabytes
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            index = filled(kind)
            taken.append(tracemalloc.get_traced_memory()[0] - before)
        finally:
            tracemalloc.stop()
    assert 20 < len(index) < 3000, "what comes later is left out"
    assert 1_500_000 < min(taken) < 4_500_000, "tables grow by steps"
    index.clear()
    index.put(FileDefinitions("a.py", ()))
    assert len(index) == 1


TEXTS = {
    "blank": "\n" * 290_000,
    "one letter": "ab\n" * 90_000,
    "words": "".join(f"{number:05d}a\n" for number in range(40_000)),
    "long": "".join(" ".join(f"w{n}x{m}" for n in range(120)) + "\n" for m in range(400)),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_kept_of_near_files_has_a_bound(tmp_path: Path, kind: str) -> None:
    nearby = Nearby()
    (tmp_path / "a.py").write_text(TEXTS[kind])
    tracemalloc.start()
    try:
        for number in range(similar.KEPT_FILES):
            file = tmp_path / f"a{number}.py"
            file.write_text(TEXTS[kind].replace("a", f"{number}a"))
            nearby.of(Known(str(file), file.name, tmp_path, (), Stamp(1)), Stamp(1))
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 120_000_000


def test_a_scan_ends_well_while_its_server_lives_and_at_once_when_that_ends(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.py").write_text("def f(): pass\n")
    (tmp_path / "none.py").write_bytes(b"\xff")
    command = [sys.executable, "-m", "mistral_lsp.context.scan"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as scan:
        assert scan.stdin is not None and scan.stdout is not None
        scan.stdin.write(json.dumps({"folder": str(tmp_path), "near": "open.py"}).encode() + b"\n")
        scan.stdin.flush()
        lines = [json.loads(line) for line in scan.stdout]
        assert scan.wait(60) == 0
    assert [(line[0], len(line[1])) for line in lines] == [("a.py", 1), ("none.py", 0)]


def test_a_scan_begins_again_behind_the_file_that_broke_it_off(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.py").write_text("def f(): pass\n")
    job = json.dumps({"folder": str(tmp_path), "skip": 2}) + "\n"
    command = [sys.executable, "-m", "mistral_lsp.context.scan"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as scan:
        assert scan.stdin is not None and scan.stdout is not None
        scan.stdin.write(job.encode())
        scan.stdin.flush()
        assert [json.loads(line)[0] for line in scan.stdout] == ["c.py", "d.py"]
