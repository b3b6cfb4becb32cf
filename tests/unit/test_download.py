"""Downloads from a local server that misbehaves as real servers do."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from mistral_lsp import config
from mistral_lsp.commands import models
from mistral_lsp.models import download, registry, store
from mistral_lsp.types import UserError
from tests.support.waiting import PATIENCE_SECONDS, wait_until

CONTENT = bytes(range(256)) * 20_000
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT, with faults.

    `cut` is the number of bytes after which an answer breaks off. `refusals` is how many further
    requests get a 503, and `stalls` how many further answers stop in the middle.
    """

    cut = 0
    stalls = 0
    refusals = 0
    status = 200
    claimed = 0
    pause = 0.0
    ranges: list[str | None]
    free: threading.Event
    """Set when stalled answers may end."""

    def handle_error(self, *_: object) -> None:
        """Ignores errors, since a client may disconnect at any time."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model.gguf"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        if self.server.refusals:
            self.server.refusals -= 1
            self.send_error(503)
            return
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(self.server.claimed or len(CONTENT) - start))
        self.end_headers()
        end = start + self.server.cut if self.server.cut else len(CONTENT)
        for place in range(start, min(end, len(CONTENT)), 65_536):
            self.wfile.write(CONTENT[place : min(place + 65_536, end)])
            time.sleep(self.server.pause)
            if self.server.stalls and place > len(CONTENT) // 2:
                self.server.stalls -= 1
                self.server.free.wait(PATIENCE_SECONDS)
                break
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.ranges = []
    server.free = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.free.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "BACK_OFF_SECONDS", 0.001)
    with serving() as found:
        yield found


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "models" / "model.gguf"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"model.gguf.lock"}


def test_a_file_comes_whole(server, target) -> None:
    told: list[tuple[int, int]] = []
    assert download.pull(server.url, target, "", lambda *seen: told.append(seen)) == SUM
    assert target.read_bytes() == CONTENT and names(target.parent) == {"model.gguf"}
    assert told[-1] == (len(CONTENT), len(CONTENT))
    download.pull(server.url, target, SUM)
    assert len(server.ranges) == 1, "what is there is not downloaded again"


def test_a_broken_line_is_gone_on_with(server, target) -> None:
    server.cut = 1_000_000
    download.pull(server.url, target, SUM)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, *(f"bytes={n}000000-" for n in range(1, 6))]


def test_a_slow_server_is_waited_for_and_one_that_stops_is_asked_for_the_rest(
    server, target, monkeypatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT", httpx.Timeout(3.0))
    server.pause = 0.06  # and so longer in all than it may be silent
    server.stalls = 1
    told: list[int] = []
    download.pull(server.url, target, SUM, lambda done, _: told.append(done))
    assert target.read_bytes() == CONTENT and told == sorted(told)
    assert server.ranges[0] is None and int(server.ranges[1][6:-1]) > len(CONTENT) // 2
    assert len(server.ranges) == 2, "slowness alone breaks nothing off"


def test_a_server_that_is_busy_is_asked_again(server, target) -> None:
    server.refusals = 3
    download.pull(server.url, target, SUM)
    assert target.read_bytes() == CONTENT


def test_a_server_that_stays_away_is_given_up(server, target) -> None:
    server.refusals = 99
    with pytest.raises(UserError, match=r"503.*[Pp]ull again"):
        download.pull(server.url, target, SUM)
    assert len(server.ranges) == download.TRIES and not target.exists()


def test_a_killed_download_is_gone_on_with(server, target) -> None:
    server.stalls = 1
    code = (
        "import sys, pathlib; from mistral_lsp.models import download;"
        "download.pull(sys.argv[1], pathlib.Path(sys.argv[2]), '')"
    )
    process = subprocess.Popen([sys.executable, "-c", code, server.url, str(target)])
    part = target.with_name("model.gguf.part")
    wait_until(lambda: part.exists() and part.stat().st_size >= len(CONTENT) // 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()
    download.pull(server.url, target, SUM)
    assert target.read_bytes() == CONTENT and names(target.parent) == {"model.gguf"}
    assert server.ranges[1] is not None, "not from its start"


def test_a_wrong_sum_leaves_nothing(server, target) -> None:
    with pytest.raises(UserError, match="damaged"):
        download.pull(server.url, target, "0" * 64)
    assert names(target.parent) == set()


def test_a_part_of_another_file_is_not_gone_on_with_for_ever(server, target) -> None:
    target.parent.mkdir()
    target.with_name("model.gguf.part").write_bytes(b"x" * 5000)
    with pytest.raises(UserError, match="damaged"):
        download.pull(server.url, target, SUM)
    download.pull(server.url, target, SUM)
    assert target.read_bytes() == CONTENT


def test_two_at_once_download_once(server, target) -> None:
    server.pause = 0.005
    sums: list[str] = []
    threads = [
        threading.Thread(target=lambda: sums.append(download.pull(server.url, target, SUM)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [SUM, SUM] and len(server.ranges) == 1


def test_what_is_not_there_is_said_at_once(server, target) -> None:
    server.status = 404
    with pytest.raises(UserError, match="404"):
        download.pull(server.url, target, SUM)
    assert len(server.ranges) == 1 and names(target.parent) == set()


def test_too_large_a_file_is_not_begun(server, target) -> None:
    server.claimed = 10**15
    with pytest.raises(UserError, match=r"needs 1000000\.00 GB more"):
        download.pull(server.url, target, SUM)
    assert names(target.parent) == set()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
def test_a_full_disk_is_said(server, target) -> None:
    target.parent.mkdir()
    target.with_name("model.gguf.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match="full"):
        download.pull(server.url, target, SUM)
    assert not target.exists()


@pytest.fixture
def machine(server, tmp_path, monkeypatch) -> Server:
    """Makes `server` the model hub and gives it; sets up private folders, settings and models."""
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setenv("HF_ENDPOINT", server.url.removesuffix("/model.gguf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(config, "user_file", lambda: tmp_path / "config.toml")
    q5 = registry.File("model.gguf", 5.13)
    q4 = registry.File("q4.gguf", 4.11)
    files = {"Q5_K_M": q5, "Q4_0": q4}
    listed = registry.Listed("apache-2.0", 7.24, "plain", files, source="who/what")
    entry, smaller = registry.quantised("some", listed)
    known = {**registry.entries(), "some": entry, "some:Q4_0": smaller}
    monkeypatch.setattr(registry, "entries", lambda: known)
    return server


def nobody(done: int, total: int) -> None:
    """A progress callback that does nothing."""


def test_a_model_is_pulled_pinned_verified_and_removed(machine) -> None:
    with pytest.raises(UserError, match="models pull some"):
        store.locate("some")
    path = models.pull("some", nobody)
    assert store.locate("some") == path and store.expected_sum("some") == SUM
    assert models.verify("some") == path
    path.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(UserError, match="models remove some"):
        models.verify("some")
    models.remove("some")
    machine.status = 404
    with pytest.raises(UserError, match="404"):
        models.pull("some", nobody)
    assert store.expected_sum("some") == SUM, "the next download has to be the same"


@pytest.mark.parametrize("named", ["some:Q4_0", "some:q4_0"])
def test_a_quantisation_is_named_behind_the_model(machine, tmp_path, named) -> None:
    with pytest.raises(UserError, match="models pull some"):
        store.locate(named)
    path = models.pull(named, nobody)
    assert path.name == "q4.gguf" and store.locate(named) == path == models.verify(named)
    assert store.expected_sum("some:Q4_0") == SUM and store.expected_sum("some") == ""
    with pytest.raises(UserError, match="not on this machine"):
        store.locate("some")
    (tmp_path / "config.toml").write_text(f'model = "{named}"\n')
    in_use = [one["name"] for one in models.listed() if one["used"]]
    assert in_use == ["some:Q4_0"]
    models.remove(named)
    assert not path.exists()


def test_the_usual_quantisation_may_be_named_too(machine) -> None:
    path = models.pull("some:Q5_K_M", nobody)
    assert path == store.locate("some") == store.locate("some:q5_k_m")
    assert store.expected_sum("some") == SUM


def test_a_known_model_may_be_meant_by_the_path_of_its_file(machine, tmp_path, monkeypatch) -> None:
    path = models.pull("some", nobody)
    (tmp_path / "link.gguf").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    for named in (str(path), os.path.relpath(path), "./link.gguf"):
        (tmp_path / "config.toml").write_text(f'model = "{named}"\n')
        assert [one["name"] for one in models.listed() if one["used"]] == ["some"]
        assert models.pull(named, nobody) == models.verify(named) == path
        assert models.remove(named) == path and not path.exists()
        models.pull("some", nobody)
    own = tmp_path / "own.gguf"
    own.write_bytes(b"")
    for act in (models.verify, models.remove, lambda named: models.pull(named, nobody)):
        with pytest.raises(UserError, match=r"own\.gguf is not the file of a known model"):
            act("./own.gguf")
    assert own.exists()


@pytest.mark.parametrize("named", ["some:Q9", "other:Q4_0"])
def test_a_quantisation_that_was_not_published_is_told(machine, named) -> None:
    with pytest.raises(UserError, match=r"Known are: (some, some:Q4_0|mistral-lsp-tiny-fim, )"):
        models.pull(named, nobody)


def test_the_list_tells_what_is_here_and_in_use(machine, tmp_path) -> None:
    def found(name: str) -> tuple[bool, bool]:
        return next((one["here"], one["used"]) for one in models.listed() if one["name"] == name)

    assert found(registry.EMBEDDED) == (True, True) and found("some") == (False, False)
    models.pull("some", nobody)
    (tmp_path / "config.toml").write_text('# mine\nmodel = "some"\nwindow = 2048\n')
    assert found("some") == (True, True)
    models.use(registry.EMBEDDED)
    assert (tmp_path / "config.toml").read_text() == '# mine\nmodel = ""\nwindow = 2048\n'


def test_what_is_no_model_is_not_chosen(machine, tmp_path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text("window = 2048\n")
    models.pull("some", nobody)
    for model in ("some", "some/where.gguf"):
        with pytest.raises(UserError):
            models.use(model)
    assert settings.read_text() == "window = 2048\n"


def test_nothing_is_downloaded_where_the_user_says_so(machine, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="HF_HUB_OFFLINE"):
        models.pull("some", nobody)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    with pytest.raises(UserError, match="https"):
        models.pull("some", nobody)
    assert machine.ranges == []
