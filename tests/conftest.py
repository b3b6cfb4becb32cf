"""Keeps tests away from the user's own engine hosts, caches and keys."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clock import JumpingLoop
from tests.support.hosts import running_hosts


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives a folder for the test's engine hosts, with a short path, as sockets in it need one."""
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("MISTRAL_LSP_API_KEY", raising=False)
    yield folder
    for host in running_hosts(folder):
        host.kill()
    shutil.rmtree(folder, ignore_errors=True)


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    jumps = item.get_closest_marker("jumping_clock") is not None
    return {"loop": JumpingLoop if jumps else asyncio.new_event_loop}
