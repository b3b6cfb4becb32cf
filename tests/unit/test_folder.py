"""The hosts' folder is private to the user, or no host is started."""

from __future__ import annotations

import os
import tempfile

import platformdirs
import pytest

from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.local.client import EngineClient
from mistral_lsp.system.folders import private_folder
from mistral_lsp.types import EngineError


def test_it_is_made_for_the_user_alone(own_folders) -> None:
    assert private_folder() == own_folders / "mistral-lsp"
    assert private_folder().stat().st_mode & 0o777 == 0o700


async def test_one_that_others_can_enter_is_refused(own_folders) -> None:
    (own_folders / "mistral-lsp").mkdir()
    (own_folders / "mistral-lsp").chmod(0o755)
    client = EngineClient(Load("scripted", "", 0, 0, 0))
    client.start()
    with pytest.raises(EngineError, match="chmod 700"):
        await client.ready()
    assert client.state == "failed"
    await client.close()


@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
def test_what_is_no_folder_is_refused(own_folders, kind) -> None:
    place = own_folders / "mistral-lsp"
    if kind == "file":
        place.touch(0o600)
    else:
        place.symlink_to(own_folders / "elsewhere")
    if kind == "link":
        (own_folders / "elsewhere").mkdir(0o700)
    with pytest.raises(EngineError, match="alone can enter"):
        private_folder()


@pytest.fixture
def without_a_place_of_the_system(own_folders, monkeypatch) -> None:
    def none(name: str) -> None:
        raise PermissionError(name)

    monkeypatch.setattr(platformdirs, "user_runtime_path", none)
    monkeypatch.setattr(tempfile, "tempdir", str(own_folders))


def test_elsewhere_it_lies_among_the_temporary_files(
    own_folders, without_a_place_of_the_system
) -> None:
    assert private_folder() == own_folders / f"mistral-lsp-{os.getuid()}"


def test_somebody_elses_is_refused(own_folders, without_a_place_of_the_system, monkeypatch) -> None:
    other = os.getuid() + 1
    (own_folders / f"mistral-lsp-{other}").mkdir(0o700)
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(EngineError, match="XDG_RUNTIME_DIR"):
        private_folder()


def test_a_runtime_folder_that_is_missing_is_not_made(own_folders, monkeypatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own_folders / "none"))
    monkeypatch.setattr(tempfile, "tempdir", str(own_folders))
    private_folder()
    assert not (own_folders / "none").exists()
