"""Code of another file leaves the prompts when that file is deleted, ignored or excluded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from tests.support.workspaces import (
    OPEN,
    defines,
    known,
    prompt,
    until,
    until_told,
    wait_for_files,
    write,
)

FILES = {
    "shared.py": defines("shared"),
    "inner/hidden.py": defines("hidden"),
}
TOLD = "def hidden_price"
WATCHES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
OPERATIONS = {
    "workspace": {"fileOperations": {"didCreate": True, "didRename": True, "didDelete": True}}
}
CREATED, CHANGED, DELETED = 1, 2, 3


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return write(tmp_path / "work", FILES)


def begin(start, work: Path, settings=None, **capabilities) -> tuple[Client, str]:
    """Opens a file whose prompt has code of two other files; gives a client and the file's URI."""
    client = start()
    client.initialize(settings, root=work.as_uri(), **capabilities)
    uri = (work / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 2)
    until_told(client, uri, TOLD)
    return client, uri


def is_deleted(work: Path) -> None:
    (work / "inner" / "hidden.py").unlink()


def is_renamed(work: Path) -> None:
    (work / "inner" / "hidden.py").rename(work / "inner" / "hidden.txt")


def becomes_a_secret(work: Path) -> None:
    (work / "inner" / "hidden.py").rename(work / "inner" / "secrets.py")


def lies_in_a_folder_that_is_renamed(work: Path) -> None:
    (work / "inner").rename(work / ".inner")


def is_ignored(work: Path) -> None:
    write(work, {".gitignore": "hidden.py\n"})


def lies_in_a_folder_that_is_ignored(work: Path) -> None:
    write(work, {".git/info/exclude": "inner/\n"})


def is_a_link_now(work: Path) -> None:
    shutil.move(work / "inner" / "hidden.py", work.parent / "elsewhere.py")
    (work / "inner" / "hidden.py").symlink_to(work.parent / "elsewhere.py")


def lies_behind_a_link_now(work: Path) -> None:
    shutil.move(work / "inner", work.parent / "elsewhere")
    (work / "inner").symlink_to(work.parent / "elsewhere")


@pytest.mark.parametrize(
    "happens",
    [
        is_deleted,
        is_renamed,
        becomes_a_secret,
        lies_in_a_folder_that_is_renamed,
        is_ignored,
        lies_in_a_folder_that_is_ignored,
        is_a_link_now,
        lies_behind_a_link_now,
    ],
)
@pytest.mark.parametrize("place", ["the same", "another"])
def test_a_client_that_says_nothing_hears_no_more_of_it(
    start, work: Path, happens: Callable[[Path], None], place: str
) -> None:
    """Tests a file whose prompt contained the other file's code before, and one opened later."""
    client, uri = begin(start, work)
    happens(work)
    if place == "another":
        uri = (work / "another.py").as_uri()
        client.open(uri, OPEN)
    told = prompt(client, uri)
    assert TOLD not in told and "def shared_price" in told


def test_where_the_user_was_is_not_told_either(start, work: Path) -> None:
    client, _ = begin(start, work)
    hidden = (work / "inner" / "hidden.py").as_uri()
    client.open(hidden, "visited = hidden_price(shared_price(1))\n")
    here = {"textDocument": {"uri": hidden}, "position": {"line": 0, "character": 39}}
    client.notify("mistralLsp/didMoveCursor", here)
    third = (work / "third.py").as_uri()
    client.open(third, OPEN)
    count = 0

    def is_told() -> bool:
        nonlocal count
        count += 1
        client.change(third, count + 1, (1, 0), (1, 0), "\n")  # for a window that is made anew
        return "visited = " in prompt(client, third)

    until(is_told)
    is_deleted(work)
    assert not is_told()
    client.open((work / "fourth.py").as_uri(), OPEN)
    assert "visited = " not in prompt(client, (work / "fourth.py").as_uri())


def test_a_file_that_has_changed_is_told_as_it_is(start, work: Path) -> None:
    client, _ = begin(start, work)
    write(work, {"inner/hidden.py": "def hidden_price(changed): pass\n"})
    fresh = (work / "fresh.py").as_uri()
    client.open(fresh, OPEN)
    assert "def hidden_price(order)" not in prompt(client, fresh)

    def is_told() -> bool:
        client.open(fresh, OPEN)
        return "def hidden_price(changed)" in prompt(client, fresh)

    until(is_told)


def test_saving_what_is_ignored_by_now_takes_it_out(start, work: Path) -> None:
    client, uri = begin(start, work)
    hidden = (work / "inner" / "hidden.py").as_uri()
    client.open(hidden, defines("hidden"))
    is_ignored(work)
    client.notify("textDocument/didSave", {"textDocument": {"uri": hidden}})
    wait_for_files(client, 1)
    assert TOLD not in prompt(client, uri)


def test_saving_the_patterns_takes_out_and_lets_in(start, work: Path) -> None:
    client, _ = begin(start, work)
    patterns = (work / ".gitignore").as_uri()
    for text, count in (("inner/\n", 1), ("nothing\n", 2)):
        write(work, {".gitignore": text})
        client.open(patterns, text, "ignore")
        client.notify("textDocument/didSave", {"textDocument": {"uri": patterns}})
        wait_for_files(client, count)


def test_what_is_excluded_later_is_told_no_more(start, work: Path) -> None:
    client, uri = begin(start, work)
    pushed = {"settings": {"mistralLsp": {"exclude": ["inner/"]}}}
    client.notify("workspace/didChangeConfiguration", pushed)
    assert TOLD not in prompt(client, uri)
    wait_for_files(client, 1)
    assert TOLD not in prompt(client, uri)
    client.notify("workspace/didChangeConfiguration", {"settings": {"mistralLsp": {"exclude": []}}})
    wait_for_files(client, 2)


def test_no_other_file_is_told_once_that_is_off(start, work: Path) -> None:
    client, uri = begin(start, work)
    pushed = {"settings": {"mistralLsp": {"otherFiles": False}}}
    client.notify("workspace/didChangeConfiguration", pushed)
    told = prompt(client, uri)
    assert "def shared_price" not in told and TOLD not in told
    wait_for_files(client, 0)


def events(client: Client, *changes: tuple[Path, int]) -> None:
    found = [{"uri": path.as_uri(), "type": kind} for path, kind in changes]
    client.notify("workspace/didChangeWatchedFiles", {"changes": found})


def test_a_client_that_can_watch_files_is_asked_to(start, work: Path) -> None:
    client, uri = begin(start, work, **WATCHES)
    asked = client.wait_for("client/registerCapability")["params"]["registrations"]
    assert [one["method"] for one in asked] == ["workspace/didChangeWatchedFiles"]
    watched = [one["globPattern"] for one in asked[0]["registerOptions"]["watchers"]]
    assert any("py," in glob for glob in watched) and any(".gitignore" in glob for glob in watched)
    hidden = work / "inner" / "hidden.py"
    hidden.unlink()
    events(client, (hidden, DELETED))
    wait_for_files(client, 1)
    write(work, FILES)
    events(client, (hidden, CREATED))
    wait_for_files(client, 2)
    shutil.rmtree(work / "inner")
    events(client, (work / "inner", DELETED))
    wait_for_files(client, 1)
    write(work, {**FILES, "inner/more.py": "def more(): pass\n"})
    events(client, (work / "inner", CREATED))
    wait_for_files(client, 3)
    write(work, {".gitignore": "inner/\n"})
    events(client, (work / ".gitignore", CREATED))
    wait_for_files(client, 1)
    write(work, {"shared.py": "def changed_price(): pass\n"})
    events(client, (work / "shared.py", CHANGED))
    client.open(uri, "value = changed_price(\n")
    until(lambda: "def changed_price" in prompt(client, uri, 0, 22))


def test_a_client_that_can_not_is_not_asked(start, work: Path) -> None:
    client, _ = begin(start, work)
    client.drain()
    assert "client/registerCapability" not in [one["method"] for _, one in client.notifications]


def test_what_the_user_renames_deletes_and_creates_in_the_editor(start, work: Path) -> None:
    client = start()
    found = client.initialize(root=work.as_uri(), **OPERATIONS)
    assert {"didCreate", "didRename", "didDelete"} <= set(found["workspace"]["fileOperations"])
    client.open((work / "open.py").as_uri(), OPEN)
    wait_for_files(client, 2)
    (work / "inner").rename(work / "outer")
    write(work, {"outer/more.py": "def more(): pass\n"})
    renamed = {"oldUri": (work / "inner").as_uri(), "newUri": (work / "outer").as_uri()}
    client.notify("workspace/didRenameFiles", {"files": [renamed]})
    wait_for_files(client, 3)
    shutil.rmtree(work / "outer")
    client.notify("workspace/didDeleteFiles", {"files": [{"uri": (work / "outer").as_uri()}]})
    wait_for_files(client, 1)
    write(work, {"new.py": "def new(): pass\n"})
    client.notify("workspace/didCreateFiles", {"files": [{"uri": (work / "new.py").as_uri()}]})
    wait_for_files(client, 2)
    for wrong in ("file://[", "", "untitled:x", "file:///elsewhere/a.py", work.as_uri()):
        client.notify("workspace/didDeleteFiles", {"files": [{"uri": wrong}]})
    assert known(client) == 2
