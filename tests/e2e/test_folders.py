"""Workspace folders may be added, removed, nested, and known by several names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from tests.support.workspaces import (
    OPEN,
    defines,
    explanation,
    prompt,
    until,
    until_told,
    wait_for_files,
    write,
)

EXCLUDED = "the file is excluded (mistralLsp.exclude)"


def begin(start, *folders: Path, settings=None) -> Client:
    client = start()
    client.initialize(settings, folders=[folder.as_uri() for folder in folders])
    return client


def change(client: Client, added: list[Path], removed: list[Path]) -> None:
    named = {
        kind: [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
        for kind, folders in (("added", added), ("removed", removed))
    }
    client.notify("workspace/didChangeWorkspaceFolders", {"event": named})


def test_a_folder_that_is_removed_is_told_no_more_and_one_that_is_added_is(
    start, tmp_path: Path
) -> None:
    one = write(tmp_path / "one", {"shared.py": defines("shared")})
    two = write(tmp_path / "two", {"hidden.py": defines("hidden")})
    client = begin(start, one, two)
    uri = (one / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 2)
    until_told(client, uri, "def hidden_price")
    change(client, [], [two])
    assert "def hidden_price" not in prompt(client, uri)
    wait_for_files(client, 1)
    change(client, [two], [])
    wait_for_files(client, 2)
    client.open((one / "fresh.py").as_uri(), OPEN)
    until(lambda: "def hidden_price" in prompt(client, (one / "fresh.py").as_uri()))


def test_a_client_of_one_folder_may_change_it_for_another(start, tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"shared.py": defines("shared")})
    two = write(tmp_path / "two", {"hidden.py": "", "more.py": ""})
    client = start()
    client.initialize(root=one.as_uri())
    client.open((one / "open.py").as_uri(), OPEN)
    wait_for_files(client, 1)
    change(client, [two], [one])
    wait_for_files(client, 2)


def test_files_of_the_same_name_in_two_folders_are_two(start, tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"src/main.py": defines("shared")})
    two = write(tmp_path / "two", {"src/main.py": defines("hidden")})
    client = begin(start, one, two)
    uri = (one / "src" / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 2)
    told = prompt(client, uri)
    assert "def shared_price" in told and "def hidden_price" in told
    client.open((one / "src" / "main.py").as_uri(), OPEN)
    told = prompt(client, (one / "src" / "main.py").as_uri())
    assert "def shared_price" not in told, "it is the file itself"
    assert "def hidden_price" in told, "it is another file"


def test_a_place_in_an_ignored_file_is_not_told_as_one_of_its_namesake(
    start, tmp_path: Path
) -> None:
    one = write(tmp_path / "one", {".gitignore": "keys.py\n", "keys.py": "visited = 1\n"})
    two = write(tmp_path / "two", {"keys.py": defines("shared")})
    client = begin(start, one, two)
    keys, uri = (one / "keys.py").as_uri(), (two / "open.py").as_uri()
    client.open(keys, "visited = shared_price(hidden_price(1))\n")
    wait_for_files(client, 1)
    here = {"textDocument": {"uri": keys}, "position": {"line": 0, "character": 39}}
    client.notify("mistralLsp/didMoveCursor", here)
    client.wait_until_ready()
    until(lambda: client.status()["work_tokens"]["evaluated"])
    for number in range(5):
        client.open(uri, "\n" * number + OPEN)
        told = prompt(client, uri, number)
        assert "def shared_price" in told and "visited" not in told


def nested(folder: Path) -> tuple[Path, Path]:
    outer = write(folder / "outer", {"shared.py": defines("shared")})
    return outer, write(outer / "inner", {"hidden.py": defines("hidden")})


@pytest.mark.parametrize("order", [1, -1])
def test_a_folder_in_another_is_looked_through_once(start, tmp_path: Path, order: int) -> None:
    outer, inner = nested(tmp_path)
    client = begin(start, *[outer, inner][::order])
    uri = (outer / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 2)
    until_told(client, uri, "hidden.py\ndef hidden_price")
    change(client, [], [inner])
    wait_for_files(client, 2)
    fresh = (outer / "fresh.py").as_uri()
    client.open(fresh, OPEN)
    until(lambda: "inner/hidden.py\ndef hidden_price" in prompt(client, fresh))


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("glob", ["/hidden.py", "/inner/hidden.py", "inner/"])
def test_globs_are_of_the_nearest_folder_and_of_those_around(
    start, tmp_path: Path, order: int, glob: str
) -> None:
    outer, inner = nested(tmp_path)
    write(outer, {"hidden.py": ""} if glob != "/hidden.py" else {})
    client = begin(start, *[outer, inner][::order], settings={"exclude": [glob]})
    client.wait_until_ready()
    hidden = (inner / "hidden.py").as_uri()
    client.open(hidden, OPEN)
    assert explanation(client, hidden)["reason"] == EXCLUDED
    shared = (outer / "shared.py").as_uri()
    client.open(shared, OPEN)
    wait_for_files(client, 1 if glob == "/hidden.py" else 2)
    assert "def hidden_price" not in prompt(client, shared)


def test_what_the_nearest_folder_takes_out_of_the_globs_is_not_excluded(
    start, tmp_path: Path
) -> None:
    outer, inner = nested(tmp_path)
    client = begin(start, outer, inner, settings={"exclude": ["*.py", "!/hidden.py"]})
    uri = (inner / "hidden.py").as_uri()
    client.open(uri, OPEN)
    assert explanation(client, uri)["reason"] is None


@pytest.mark.parametrize(("root", "opened"), [("link", "real"), ("real", "link"), ("link", "link")])
def test_a_workspace_behind_a_link_is_the_same(
    start, tmp_path: Path, root: str, opened: str
) -> None:
    real = write(tmp_path / "real", {"shared.py": defines("shared"), "gen/hidden.py": ""})
    (tmp_path / "link").symlink_to(real)
    client = begin(start, tmp_path / root, settings={"exclude": ["/gen/"]})
    uri = (tmp_path / opened / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 1)
    told = prompt(client, uri)
    assert "def shared_price" in told
    hidden = (tmp_path / opened / "gen" / "hidden.py").as_uri()
    client.open(hidden, OPEN)
    assert explanation(client, hidden)["reason"] == EXCLUDED
    shared = (tmp_path / opened / "shared.py").as_uri()
    client.open(shared, OPEN)
    assert "def shared_price" not in prompt(client, shared), "it is the file itself"
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    wait_for_files(client, 2)


def test_a_file_that_is_a_link_is_excluded_by_either_name(start, tmp_path: Path) -> None:
    work = write(tmp_path / "work", {"gen/hidden.py": ""})
    (work / "link.py").symlink_to(work / "gen" / "hidden.py")
    for glob in ("gen/", "link.py"):
        client = begin(start, work, settings={"exclude": [glob]})
        client.open((work / "link.py").as_uri(), OPEN)
        assert explanation(client, (work / "link.py").as_uri())["reason"] == EXCLUDED


@pytest.mark.parametrize("glob", ["/gen/", "**/hidden.*", "gen/hidden.*"])
@pytest.mark.parametrize(
    "form",
    [
        "vscode-notebook-cell:{path}.ipynb#W0sZmlsZQ%3D%3D",
        "vscode-notebook-cell://ssh-remote%2Bbox{path}.ipynb#W0sZmlsZQ%3D%3D",
        "untitled:{path}.py",
        "git:{path}.py?%7B%22ref%22%3A%22~%22%7D",
        "vscode-remote://ssh-remote%2Bbox{path}.py",
        "file:{path}.py",
        "file://localhost{path}.py",
        "file:///tmp/..{path}.py",
    ],
)
def test_a_path_counts_in_any_scheme(start, tmp_path: Path, glob: str, form: str) -> None:
    client = begin(start, tmp_path, settings={"exclude": [glob]})
    uri = form.format(path=tmp_path / "gen" / "hidden")
    client.open(uri, OPEN)
    assert explanation(client, uri)["reason"] == EXCLUDED
    other = form.format(path=tmp_path / "other" / "shown")
    client.open(other, OPEN)
    assert explanation(client, other)["reason"] is None


@pytest.mark.parametrize("glob", ["hidden.py", "elsewhere/", "*.py"])
def test_globs_also_name_files_outside_of_the_workspace(ready, tmp_path: Path, glob: str) -> None:
    client = ready({"exclude": [glob]})
    uri = (tmp_path / "elsewhere" / "hidden.py").as_uri()
    client.open(uri, OPEN)
    assert explanation(client, uri)["reason"] == EXCLUDED
