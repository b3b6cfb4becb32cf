"""The choice of the snippets in other files that are most similar to the code at the cursor."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from mistral_lsp import languages
from mistral_lsp.context import scan, similar, walk
from mistral_lsp.context.index import Index
from mistral_lsp.context.recent import MOST, Recent
from mistral_lsp.context.similar import Nearby
from mistral_lsp.context.snippets import cut
from mistral_lsp.document import Document, Snapshot
from tests.support.waiting import PATIENCE_SECONDS

PRICES = "".join(f"def price_{number}(order):\n    return {number}\n\n" for number in range(20))
HERE = "order = load()\ndef price_9(order):\n    return "


def opened(path: str, text: str, folder: Path | None = None) -> Snapshot:
    """Makes a snapshot of a document in `folder`, or of one that is in no folder."""
    file = str(folder / path) if folder else ""
    return Document(f"file:///{path}", path, languages.find("", path), 1, text, file).snapshot()


def workspace(folder: Path, **files: str) -> Index:
    """Writes `files` into a folder and indexes them."""
    index = Index()
    for name, text in files.items():
        path = f"{name}.py"
        (folder / path).write_text(text)
        found = scan.read(folder, path)
        assert found is not None
        index.put(found, folder)
    return index


async def count(texts):
    return [len(text) // 3 for text in texts]


async def given(
    index: Index,
    recent: Recent | None = None,
    here: str = HERE,
    budget: int = 10_000,
    path: str = "main.py",
    nearby: Nearby | None = None,
    folder: Path | None = None,
) -> list[str]:
    """Gives the snippets chosen at the end of `here`, the most similar first."""
    found = await similar.choose(
        opened(path, here, folder),
        len(here),
        index,
        recent or Recent(),
        nearby or Nearby(),
        budget,
        count,
        None,
    )
    return [excerpt.text for excerpt in reversed(found)]


async def test_the_most_similar_lines_of_other_files_are_told(tmp_path: Path) -> None:
    index = workspace(tmp_path, prices=PRICES, other="class Socket:\n    bind = 1\n")
    texts = await given(index)
    assert "def price_9(order):\n    return 9" in texts[0]
    assert not any("socket" in text for text in texts)


async def test_what_is_told_does_not_overlap_and_fits_the_room(tmp_path: Path) -> None:
    index = workspace(tmp_path, prices=PRICES)
    lines = [line for text in await given(index) for line in text.split("\n") if line.strip()]
    assert len(lines) == len(set(lines)) > 20
    assert len(await given(index, budget=45)) == 1
    assert await given(index, budget=20) == []


async def test_what_stands_nearer_to_the_cursor_counts_more(tmp_path: Path) -> None:
    files = {
        "far": "def far():\n    first(second, third)\n",
        "near": "def near():\n    last(one)\n",
    }
    here = "first(second, third)\n" + "\n" * 7 + "last(one)\n"
    texts = await given(workspace(tmp_path, **files), here=here)
    assert [text.partition("(")[0] for text in texts] == ["def near", "def far"]


async def test_what_stands_below_the_cursor_counts_too(tmp_path: Path) -> None:
    files = {"short": "def b():\n    pass\n", "other": "def bind(port):\n    return socket(port)\n"}
    index = workspace(tmp_path, **files)
    below = "\n    return socket(port)\n"
    found = await similar.choose(
        opened("main.py", f"def b{below}"), 5, index, Recent(), Nearby(), 10_000, count, None
    )
    assert "def bind" in found[-1].text


async def test_nothing_of_the_same_file_is_told(tmp_path: Path) -> None:
    index = workspace(tmp_path, prices=PRICES)
    assert await given(index, path="prices.py", folder=tmp_path) == []


async def test_a_file_is_read_again_once_it_changed(tmp_path: Path) -> None:
    index, nearby = workspace(tmp_path, prices=PRICES), Nearby()
    assert "return 9" in (await given(index, nearby=nearby))[0]
    file = tmp_path / "prices.py"
    file.write_text(PRICES.replace("return 9", "return 99"))
    os.utime(file, ns=(0, 1))
    assert "return 99" in (await given(index, nearby=nearby))[0]
    file.unlink()
    assert await given(index, nearby=nearby) == []


async def test_where_the_user_has_been_is_told_as_it_was_there(tmp_path: Path) -> None:
    recent = Recent()
    edited = PRICES.replace("return 9", "return 99")
    recent.note(opened("prices.py", edited, tmp_path), edited.index("def price_9"))
    assert "return 99" in (await given(workspace(tmp_path, prices=PRICES), recent))[0]


async def test_a_place_in_a_file_that_the_index_leaves_out_stays_there() -> None:
    recent = Recent()
    recent.note(opened("prices.py", PRICES), 0)
    assert await given(Index(), recent) == []


def test_the_oldest_places_are_forgotten_and_one_of_two_that_are_alike() -> None:
    recent = Recent()
    for number in range(MOST + 3):
        recent.note(opened(f"file{number}.py", f"def only_{number}(): pass\n"), 0)
    assert [place.path for place in recent.all()] == [
        f"file{number}.py" for number in range(MOST + 2, 2, -1)
    ]
    recent.note(opened("copy.py", "def only_9(): pass\n"), 0)
    assert "file9.py" not in [place.path for place in recent.all()]


async def test_looking_ends_in_time_and_serves_the_next_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, nearby = workspace(tmp_path, prices=PRICES), Nearby()
    read, free, was_read = walk.read_text, threading.Event(), threading.Event()

    def read_slowly(file: str) -> Any:
        free.wait(PATIENCE_SECONDS)
        try:
            return read(file)
        finally:
            was_read.set()

    monkeypatch.setattr(walk, "read_text", read_slowly)
    here = opened("main.py", HERE), len(HERE), index, Recent(), nearby, 10_000, count
    assert await similar.choose(*here, 0.01) == ()
    free.set()
    assert await asyncio.to_thread(was_read.wait, PATIENCE_SECONDS)
    monkeypatch.setattr(walk, "read_text", None)
    assert await similar.choose(*here, PATIENCE_SECONDS) != (), "what was read is kept"


def test_the_words_of_a_snippet_are_in_order() -> None:
    """Unordered words would make sums of weights round differently in every run.

    So the choice between two equally similar snippets would change from run to run.
    """
    [snippet] = cut("a.py", "a.py", ["value = second(first)", "third = first"])
    assert snippet.words == ("first", "second", "third", "value")
