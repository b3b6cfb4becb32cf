"""The choice of definitions in other files, and of the files that are scanned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mistral_lsp import languages
from mistral_lsp.context import scan, walk
from mistral_lsp.context.definitions import FileDefinitions, read_definitions
from mistral_lsp.context.index import Index, module
from mistral_lsp.context.related import choose, rank
from mistral_lsp.document import Document
from mistral_lsp.syntax import trees


def index_of(files: dict[str, str]) -> Index:
    index = Index()
    for path, text in files.items():
        tree = trees.parse(languages.find("", path), text)
        assert tree is not None
        index.put(read_definitions(path, text, tree))
    return index


def names_at(text: str, index: Index, path: str = "app/main.py") -> list[str]:
    """Gives the names that `rank` finds in `index` at the end of `text`, highest weight first."""
    document = Document(f"file:///{path}", path, languages.find("", path), 1, text)
    return [
        index.of(file)[place].name for _, file, place in rank(document.snapshot(), len(text), index)
    ]


async def count(texts):
    return [len(text) // 3 for text in texts]


def test_the_name_nearest_to_the_cursor_comes_first() -> None:
    index = index_of({"app/a.py": "def near(): pass\ndef far(): pass\ndef unnamed(): pass\n"})
    assert names_at("import a\nfar()\n" + "x = 1\n" * 20 + "near(", index) == ["near", "far"]


def test_a_file_that_is_imported_is_trusted_more() -> None:
    index = index_of({"lib/aa.py": "def load(): pass\n", "lib/bb.py": "def load(x): pass\n"})
    document = Document("", "m.py", languages.find("python"), 1, "from bb import load\nload(")
    found = rank(document.snapshot(), 25, index)
    assert [path for _, path, _ in found] == ["lib/bb.py", "lib/aa.py"]


def test_a_name_that_every_file_defines_says_nothing() -> None:
    index = index_of({f"other{number}/f.py": "def get(): pass\n" for number in range(9)})
    assert names_at("get(", index) == []


def test_members_come_with_their_class() -> None:
    index = index_of({"a.py": "class Box:\n    def fill(self): pass\ndef other(): pass\n"})
    assert names_at("from a import Box\nBox.", index) == ["Box", "fill"]


def test_the_files_own_definitions_are_not_other_files() -> None:
    index = index_of({"app/main.py": "def here(): pass\n"})
    assert names_at("here(", index) == []


def test_a_saved_file_takes_the_place_of_what_it_was() -> None:
    index = index_of({"a.py": "def old(): pass\n"})
    index.put(read_definitions("a.py", "", trees.parse(languages.find("python"), "")))
    assert not index.defining("old")
    index.drop("a.py")
    index.drop("never.py")
    assert len(index) == 0


def test_files_are_called_by_their_stem_or_their_folder() -> None:
    assert module("src/http/client.ts") == "client"
    assert module("pkg/models/__init__.py") == "models"
    assert module("types.d.ts") == "types"


async def test_excerpts_stay_within_their_budget() -> None:
    text = "".join(f"def function_{n}(first, second): pass\n" for n in range(100))
    index = index_of({"a.py": text})
    calls = "import a\n" + "".join(f"function_{n}(\n" for n in range(100))
    snapshot = Document("", "m.py", languages.find("python"), 1, calls).snapshot()
    excerpts = await choose(snapshot, len(calls), index, 300, count)
    assert 150 <= sum(await count([one.text for one in excerpts])) <= 300
    assert "function_99" in excerpts[0].text, "the nearest"
    assert await choose(snapshot, len(calls), Index(), 300, count) == ()


def make_workspace(folder: Path) -> None:
    files = {
        "src/main.py": "def main(): pass\n",
        "src/.gitignore": "generated/\n*.tmp.py\n!kept.tmp.py\n",
        "src/generated/code.py": "def generated(): pass\n",
        "src/x.tmp.py": "def temporary(): pass\n",
        "src/kept.tmp.py": "def kept(): pass\n",
        "secrets.py": "def secret(): pass\n",
        "node_modules/m/index.js": "function foreign() {}\n",
        ".hidden/a.py": "def hidden(): pass\n",
        "env/pyvenv.cfg": "",
        "env/lib.py": "def library(): pass\n",
        "min.js": "function minified() {}" + "x();" * 1000,
        "big.py": "def big(): pass\n" * 30_000,
        "notes.txt": "def no_code(): pass\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "bytes.py").write_bytes(b"def broken(): '\xff'\n")
    (folder / "link.py").symlink_to("/etc/hostname")
    (folder / "loop").symlink_to(folder, target_is_directory=True)


def test_a_scan_reads_what_belongs_to_the_workspace(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    found = [path for path in walk.walk(tmp_path) if scan.read(tmp_path, path)]
    assert sorted(found) == ["src/kept.tmp.py", "src/main.py"]


def test_a_scan_is_a_program_that_begins_near_the_open_file(tmp_path: Path) -> None:
    for path in ("a/one.py", "b/c/two.py", "b/three.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("def f(): pass\n", "utf-8")
    command = [sys.executable, "-m", "mistral_lsp.context.scan", str(tmp_path), "b/c/open.py"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    paths = [json.loads(line)[0] for line in done.stdout.splitlines()]
    assert paths == ["b/c/two.py", "b/three.py", "a/one.py"]


def test_folders_are_forgotten_with_all_that_is_in_them() -> None:
    names = ["a.py", "in/a.py", "in/deep/a.py", "inside/a.py", "b/in/a.py"]
    index = Index()
    for name in names:
        index.put(FileDefinitions(name, ()), Path("/top"))
    index.drop_all(["/top/in", "/top/a.py", "/top/never"])
    assert {one.path for one in index} == {"inside/a.py", "b/in/a.py"}
    index.drop_all([])
    assert len(index) == 2
    index.drop_all(["/"])
    assert len(index) == 0
