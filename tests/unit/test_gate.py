"""Globs of the setting `exclude`: the paths that they match, and matching in bounded time."""

from __future__ import annotations

import msgspec
import pytest

from mistral_lsp.config import Settings
from mistral_lsp.context.gate import is_excluded


def excluding(*globs: str) -> Settings:
    return msgspec.structs.replace(Settings(), exclude=list(globs))


@pytest.mark.parametrize(
    ("globs", "names", "expected"),
    [
        ([], ["a.py"], False),
        (["a.py"], ["src/a.py"], True),
        (["/a.py"], ["src/a.py"], False),
        (["/a.py"], ["a.py", "src/a.py"], True),
        (["/src/a.py"], ["a.py", "src/a.py"], True),
        (["*.py", "!a.py"], ["a.py", "src/b.py"], False),
        (["gen/", "!gen/a.py"], ["gen/a.py"], True),
    ],
)
def test_the_first_of_its_names_that_is_meant_decides(globs, names, expected) -> None:
    assert is_excluded(names, excluding(*globs)) is expected


def test_a_path_that_no_file_has_is_left_alone_where_anything_is_excluded() -> None:
    for path in ("a/" * 100_000 + "b.py", "a" * 1_000_000):
        assert is_excluded([path], excluding("**/x/**/y/**/z.py"))
        assert not is_excluded([path], Settings())


@pytest.mark.parametrize("glob", ["*a" * 400 + "b", "**/a/" * 150 + "b", "?*" * 400, "[!b]*" * 150])
def test_globs_of_very_many_stars_come_to_an_end(glob: str) -> None:
    path = "/".join("a" * 200) + "/" + "a" * 250
    is_excluded([path, path, path], excluding(*[glob] * 20))
