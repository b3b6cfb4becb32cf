"""Invalid globs in `exclude` are named in a message, and no glob blocks the server."""

from __future__ import annotations

from tests.support.workspaces import OPEN, defines, explanation, until_told, wait_for_files, write

WRONG = ["!", "[z-a]", "a\\", "[a", "[[:x:]]", "/"]
STARS = ["*a" * 30 + "b.py", "**/a/" * 60 + "b", "a*" * 200 + "b"]


def test_wrong_globs_are_named_and_everything_is_answered(start, tmp_path) -> None:
    names = ["a" * 200 + ".py", "a/a/a/a/a/a/a.py", "left/alone.py"]
    work = write(tmp_path / "work", {name: defines("shared") for name in names})
    client = start()
    client.initialize({"exclude": [*WRONG, *STARS, "left/"]}, root=work.as_uri())
    warning = client.wait_for("window/showMessage")["params"]["message"]
    assert all(repr(glob) in warning for glob in WRONG[:5])
    assert "The others hold" in warning
    uri = (work / names[0]).as_uri()
    client.open(uri, OPEN + "def add(a, b):\n    \n")
    assert client.items(client.ask(uri, 2, 4))
    wait_for_files(client, 2)
    until_told(client, uri, "def shared_price", OPEN + "def add(a, b):\n    \n")
    alone = (work / names[2]).as_uri()
    client.open(alone, OPEN)
    assert "exclude" in explanation(client, alone)["reason"]
    assert client.close() == 0
