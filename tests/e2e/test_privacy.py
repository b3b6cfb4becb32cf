"""The user's code is safe from other users, hostile workspaces and the network."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.support.lsp_client import Client
from tests.e2e.test_workspace import wait_for_files
from tests.support.tcp import tcp_server

URI = "file:///project/main.py"
TEXT = "def add(a, b):\n    \n"
NOBODY = 65534

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
traced = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@contextlib.contextmanager
def somebody_else() -> Iterator[None]:
    """Runs its block with the rights of another user."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@root
def test_another_user_reaches_neither_socket_nor_cache(start, own_home, tmp_path) -> None:
    client = start(engine="auto")
    client.initialize()
    client.wait_until_ready()
    client.open(URI, TEXT)
    client.items(client.ask(URI, 1, 4))
    for folder in (own_home, own_home / "cache"):
        folder.chmod(0o755)  # as folders above ours may be
    [path] = own_home.rglob("*.socket")
    secret = [path, *own_home.rglob("*.log"), *own_home.rglob("*.lock"), *own_home.rglob("*.json")]
    assert len(secret) >= 4
    with somebody_else():
        assert list(own_home.iterdir()), "the folder above is open"
        for private in (path.parent, own_home / "cache" / "mistral-lsp"):
            with pytest.raises(PermissionError):
                list(private.iterdir())
        for file in secret:
            with pytest.raises(PermissionError):
                file.open("rb")
        with socket.socket(socket.AF_UNIX) as connection, pytest.raises(PermissionError):
            connection.connect(str(path))
    assert client.items(client.ask(URI, 1, 4))


@root
def test_another_user_gets_nothing_over_tcp_but_a_refusal(own_home, tmp_path) -> None:
    (tmp_path / "victim.py").write_text("def hidden(): pass\n")
    with tcp_server() as server:
        token = Path(server.where)
        own_home.chmod(0o755)  # as the folder above ours may be
        with somebody_else():
            for file in (token, Path(f"/proc/{server.process.pid}/environ")):
                with pytest.raises(PermissionError):
                    file.read_bytes()
            command = Path(f"/proc/{server.process.pid}/cmdline").read_text()
            with server.connected() as attacker:
                attacker.initialize(httpUrl="http://127.0.0.1:1", root=tmp_path.as_uri())
                item = {"uri": URI, "languageId": "python", "version": 1, "text": "hid"}
                attacker.send("textDocument/didOpen", {"textDocument": item})
                place = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 3}}
                explain = {"command": "mistralLsp.explain", "arguments": [place]}
                attacker.send("workspace/executeCommand", explain, 2)
                told = list(iter(attacker.receive, None))
        assert server.token not in command
        [refusal] = told
        assert refusal["id"] == 1 and "token" in refusal["error"]["message"]
        with server.connected() as owner:
            owner.initialize(server.token)
            assert owner.answer(1)["result"]


MODULES = ("json", "msgspec", "numpy", "psutil", "llama_cpp", "sitecustomize", "tree_sitter_python")
SETTINGS = '{"mistralLsp.engine": "http", "engine": "auto", "model": "evil.gguf", "command": "sh"}'


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Makes a workspace with settings, odd files, and modules that record when they run."""
    folder = tmp_path / "hostile"
    (folder / "mistral_lsp").mkdir(parents=True)
    (folder / ".vscode").mkdir()
    code = f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)\n"
    for module in MODULES:
        (folder / f"{module}.py").write_text(code)
    (folder / "mistral_lsp" / "__init__.py").write_text(code)
    (folder / ".vscode" / "settings.json").write_text(SETTINGS)
    for name in ("mistral-lsp.json", ".mistral-lsp.json", "config.json"):
        (folder / name).write_text(SETTINGS)
    for name in ("mistral-lsp.toml", ".mistral-lsp.toml", "config.toml", "pyproject.toml"):
        (folder / name).write_text('engine = "http"\nmodel = "evil.gguf"\n[tool.mistral-lsp]\n')
    (folder / ".nvim.lua").write_text("os.execute('touch ran')\n")
    (folder / "evil.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    os.mkfifo(folder / "a_pipe.py")
    (folder / os.fsdecode(b"a_\xff.py")).write_text("def unnameable(): pass\n")
    (folder / "a_link.py").symlink_to("/dev/zero")
    (folder / "a_loop").symlink_to(folder, target_is_directory=True)
    (folder / "honest.py").write_text("def honest(): pass\n")
    return folder


def test_a_hostile_workspace_chooses_nothing_and_runs_nothing(
    hostile, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(hostile)
    client = Client([str(Path(sys.executable).with_name("mistral-lsp")), "--engine", "scripted"])
    try:
        client.initialize(root=hostile.as_uri())
        status = client.wait_until_ready()
        assert (status["engine"], status["model"]) == ("scripted", "script")
        uri = (hostile / "main.py").as_uri()
        client.open(uri, "x = 1\n")
        # Those with text, read and not run; a pipe, a device and a loop hold nothing up.
        wait_for_files(client, len(MODULES) + len(("__init__.py", ".nvim.lua", "honest.py")))
        client.items(client.ask(uri, 1, 0))
        assert client.close() == 0
    finally:
        client.kill()
    assert not (tmp_path / "ran").exists() and not (hostile / "ran").exists()


def test_what_is_ignored_is_not_taken_in_when_it_is_saved(start, tmp_path) -> None:
    folder = tmp_path / "work"
    (folder / "generated").mkdir(parents=True)
    (folder / ".gitignore").write_text("local_*.py\ngenerated/\n")
    client = start()
    client.initialize(root=folder.as_uri())
    for name in ("local_settings.py", "generated/keys.py", ".env.py", "shared.py"):
        path = folder / name
        path.write_text("def key(): pass\n")
        client.open(path.as_uri(), path.read_text())
        client.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}})
    wait_for_files(client, 1)
    time.sleep(1.5)  # the scan is over by then
    wait_for_files(client, 1)


@traced
def test_nothing_is_sent_over_a_network_and_no_shell_is_run(start, tmp_path) -> None:
    (tmp_path / "work").mkdir()
    log = tmp_path / "calls"
    command = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,execve", "-o", str(log)]
    client = Client([*command, sys.executable, "-m", "mistral_lsp"])
    try:
        client.initialize(root=(tmp_path / "work").as_uri())
        client.wait_until_ready()
        client.open(URI, TEXT)
        assert client.items(client.ask(URI, 1, 4, kind=1))
        time.sleep(1.5)  # the scan of the workspace
        client.close()
    finally:
        client.kill()
    calls = log.read_text()
    assert "AF_UNIX" in calls, "the host was reached, and seen"
    assert "AF_INET" not in calls
    programs = {line.split('"')[1] for line in calls.splitlines() if "execve(" in line}
    assert {Path(program).name[:6] for program in programs} == {"python"}, programs
