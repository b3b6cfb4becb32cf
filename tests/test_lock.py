"""Every package that CI installs is in the lock file, with hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def locked() -> dict[str, set[str]]:
    """Gives the locked versions by package. There may be one for old and one for new Pythons."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


@pytest.mark.parametrize("line", WANTED)
def test_every_dependency_is_locked_at_a_version_that_is_allowed(line: str) -> None:
    wanted = Requirement(line)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return  # not for this Python or system
    versions = locked().get(canonicalize_name(wanted.name), set())
    assert any(wanted.specifier.contains(version) for version in versions), (
        f"requirements.lock has {sorted(versions) or 'nothing'} for {line!r}: run `make lock`"
    )


def test_every_locked_package_has_hashes() -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(blocks) > 50
    assert [block[:40] for block in blocks if "--hash=sha256:" not in block] == []
