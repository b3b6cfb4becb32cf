"""Tests the bench of secrets: few secrets leak, and the bench reports leaks and false alarms."""

from __future__ import annotations

import json

import pytest

from bench.checks.secrets import __main__ as secrets, kinds


@pytest.mark.parametrize("seed", [1, 2])
async def test_few_secrets_leak(seed: int) -> None:
    found = await secrets.count_leaks(1, seed)
    kinds = {(group, kind) for group, cursors in found.items() for kind in cursors["below"]}
    assert len(kinds) >= 350
    for group, most in secrets.MOST_PERCENT.items():
        for cursor, leaks in found[group].items():
            assert sum(leaks.values()) <= most * len(leaks), (group, cursor, leaks)


def test_a_leak_and_a_false_alarm_are_seen(tmp_path, monkeypatch, capsys) -> None:
    plain = {"a.py": ("of_the_day = '§'",)}
    for name, value in (("NAMED", plain), ("OF_SENTENCES", {})):
        monkeypatch.setattr(kinds, name, value)
    monkeypatch.setattr(secrets, "LIBRARY", tmp_path)
    (tmp_path / "a.py").write_text("password = 'hunter2 and more'\n")
    assert secrets.main(["--samples", "1", "--kinds"]) == 1
    told = capsys.readouterr().out
    assert "of_the_day" in told
    assert json.loads(told.splitlines()[-1])["broken"] == ["named", "library"]
