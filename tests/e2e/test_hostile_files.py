"""Strange files in a workspace: at worst they are left out, and the memory stays bounded."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

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

MEGABYTE = 1_000_000
BREAKS = """
import os, sys

if "mistral_lsp.context.scan" in sys.orig_argv:
    from mistral_lsp.context import walk

    def read_text(file, read=walk.read_text):
        if "bad" in str(file):
            os.abort()
        return read(file)

    walk.read_text = read_text
"""

HANGS = """
import sys, time

if "mistral_lsp.context.scan" in sys.orig_argv:
    from mistral_lsp.context import walk

    def read_text(file, read=walk.read_text):
        if "bad" in str(file):
            time.sleep(3600.0)
        return read(file)

    walk.read_text = read_text
else:
    from mistral_lsp.workspace import indexing

    indexing.SILENT_SECONDS = 5.0
"""


def nested(levels: int) -> str:
    return "mod a{\n" * levels + "}\n" * levels


def test_nested_definitions_take_no_memory(start, tmp_path: Path) -> None:
    files = {f"nested{number}.rs": nested(2000) for number in range(8)}
    work = write(tmp_path / "work", {**files, "shared.py": defines("shared")})
    client = start()
    client.initialize(root=work.as_uri())
    uri = (work / "open.rs").as_uri()
    client.open(uri, "mod a{\n", "rust")
    wait_for_files(client, 9)
    saved = (work / "nested0.rs").as_uri()
    client.open(saved, nested(2000), "rust")
    client.notify("textDocument/didSave", {"textDocument": {"uri": saved}})
    prompt(client, uri, 0, 6)
    prompt(client, saved, 4, 6)
    assert psutil.Process(client.process.pid).memory_info().rss <= 150 * MEGABYTE
    assert client.close() == 0


@pytest.mark.parametrize("levels", [3500, 20_000])
def test_a_file_of_very_deep_definitions_hides_no_other(start, tmp_path: Path, levels: int) -> None:
    files = {f"a/nested{number}.rs": nested(levels) for number in range(2)}
    after = {f"b/after{number}.py": defines(f"after{number}") for number in range(20)}
    work = write(tmp_path / "work", {**files, **after})
    client = start()
    client.initialize(root=work.as_uri())
    uri = (work / "open.py").as_uri()
    client.open(uri, OPEN)
    until(lambda: known(client) >= 20, client.status)
    until_told(client, uri, "def after7_price", OPEN.replace("shared", "after7"))
    assert psutil.Process(client.process.pid).memory_info().rss <= 150 * MEGABYTE


@pytest.mark.parametrize("fault", [BREAKS, HANGS], ids=["breaks", "hangs"])
def test_a_file_that_ends_the_scan_costs_itself(
    start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The faults imitate a grammar that crashes, and a disk that hangs."""
    write(tmp_path / "more", {"sitecustomize.py": fault})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "more"))
    names = ["a.py", "bad1.py", "bad2.py", "c.py", "d.py", "e_bad.py", "f.py"]
    work = write(tmp_path / "work", {name: defines("shared") for name in names})
    client = start()
    client.initialize(root=work.as_uri())
    uri = (work / "open.py").as_uri()
    client.open(uri, OPEN)
    wait_for_files(client, 4)
    until_told(client, uri, "def shared_price")
    (work / "g.py").write_text(defines("hidden"))
    client.notify("workspace/didCreateFiles", {"files": [{"uri": (work / "g.py").as_uri()}]})
    wait_for_files(client, 5)
