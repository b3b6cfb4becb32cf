"""The whole life of a model: listed, downloaded, chosen, used by an editor, removed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.models import named

Run = Callable[..., "subprocess.CompletedProcess[str]"]
FILES = {
    "mistral-7b-instruct-v0.2:Q4_0": "mistral-7b-instruct-v0.2.Q4_0.gguf",
    "mistral-7b-instruct-v0.2": "mistral-7b-instruct-v0.2.Q5_K_M.gguf",
}
TEXT = "def add(first, second):\n    return first + \n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Gives the URL of a simulated model hub. Each of its `FILES` is a renamed embedded model."""
    file = named(tmp_path_factory.mktemp("hub") / "any.gguf", b"from the hub")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.rpartition("/resolve/main/")[2] in FILES.values()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(file.stat().st_size if known else 0))
            self.end_headers()
            if known:
                with file.open("rb") as content:
                    shutil.copyfileobj(content, self.wfile)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def run(hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("HF_ENDPOINT", hub)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("MISTRAL_LSP_MODELS", str(tmp_path / "größere Modelle"))

    def begin(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mistral_lsp", "models", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    return begin


def listed(run: Run, name: str) -> tuple[bool, bool]:
    """Gives whether `models list` shows the model `name` as downloaded, and whether as in use."""
    models = json.loads(run("list", "--json").stdout)["models"]
    return next((one["here"], one["used"]) for one in models if one["name"] == name)


@pytest.mark.parametrize("name", FILES)
def test_from_the_list_to_ghost_text_and_back(run, start, tmp_path, name) -> None:
    assert listed(run, name) == (False, False)
    pulled = run("pull", name)
    assert pulled.returncode == 0, pulled.stderr
    assert f"models use {name}" in pulled.stdout
    assert (tmp_path / "größere Modelle" / FILES[name]).is_file()
    assert run("verify", name).returncode == 0
    assert run("use", name).returncode == 0
    assert listed(run, name) == (True, True)
    client = start(engine="ctransformers")
    client.initialize()
    assert client.wait_until_ready()["model"] == "from the hub"
    client.open("file:///sums/add.py", TEXT)
    assert client.items(client.ask("file:///sums/add.py", 1, 19))
    client.close()
    assert run("remove", name).returncode == 0
    assert listed(run, name)[0] is False


def test_a_quantisation_that_nobody_published_is_a_sentence(run) -> None:
    done = run("pull", "mistral-7b-instruct-v0.2:Q1")
    assert done.returncode == 2 and "Known are: mistral-7b-instruct-v0.2, " in done.stderr
