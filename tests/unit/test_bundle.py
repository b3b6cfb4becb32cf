"""The report of `doctor --bundle` contains no passwords or keys, and no user names in paths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mistral_lsp.commands import bundle
from mistral_lsp.system.folders import private_folder


def collected(log: str, **findings) -> str:
    """Gives the text of a bundle, made from a host's log and these findings."""
    (private_folder() / "host.log").write_text(log)
    return json.dumps(bundle.collect(findings), ensure_ascii=False)


@pytest.mark.parametrize(
    "line",
    [
        "retry with password=hunter2",
        "password: hunter2",
        "the password is hunter2",
        "PWD hunter2",
        "Authorization: Bearer hunter2",
        "token=hunter2",
        "https://me:hunter2@host/",
        "x --token hunter2",
        "export API_KEY=hunter2",
        "-u me:hunter2",
        'login("me", "hunter2")',
        "<password>hunter2</password>",
    ],
)
def test_no_password_of_a_log_is_in_it(line: str) -> None:
    text = collected(f"the host began\n{line}\n")
    assert "the host began" in text and "hunter2" not in text


def test_a_key_of_several_lines_is_not_in_it() -> None:
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkq" * 4, "Kj8sH2=="])
    text = collected(f"read:\n{key}\n-----END PRIVATE KEY-----\nand on\n")
    assert "and on" in text and "MIIE" not in text and "Kj8sH2" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/home/alice/x.py",
        "/Users/alice/x",
        "file:///home/alice",
        "C:\\Users\\alice\\x",
        "/home/alice",
        "C:\\Users\\alice smith\\x",
        "/mnt/c/Users/alice/x",
        "%2Fhome%2Falice%2Fx",
        "/media/alice/disk",
        "/var/home/alice/x",
        "\\\\host\\home\\alice\\x",
        "no such file: '/home/alice/model.gguf'",
    ],
)
def test_other_users_have_no_name_in_it(path: str) -> None:
    text = collected(f"can't read {path}\n", model=path, inner=[{path: path}])
    assert "can't read" in text and "alice" not in text and "smith" not in text


def test_this_user_has_no_name_in_it(monkeypatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/al"))
    text = collected("at /home/al/x and /home/al and /home/alice/y\n")
    assert "~/x and ~ and" in text and "alice" not in text and "ice/y" not in text


def test_what_is_named_like_a_secret_is_left_out_with_all_in_it() -> None:
    text = collected(
        "", apiKey="abc", api_token=["hunter2"], secret={"inner": "hunter2"}, tokens=64
    )
    assert "hunter2" not in text and '"abc"' not in text and '"tokens": 64' in text
