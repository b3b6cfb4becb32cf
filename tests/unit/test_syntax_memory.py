"""Parsing a text again and again, as after every key, does not accumulate memory."""

from __future__ import annotations

import gc
import sys

import psutil

from mistral_lsp import languages
from mistral_lsp.syntax import trees

TEXT = "".join(f"def price_{number}(order):\n    return {number}\n\n\n" for number in range(1000))
MOST_GROWTH = 4_000_000
"""Bytes. Keeping all 400 copies of the parsed text would take 19 MB."""


def memory() -> int:
    gc.collect()
    used: int = psutil.Process().memory_info().rss
    return used


def test_a_text_that_is_parsed_again_is_not_kept() -> None:
    language = languages.find("python")
    for _ in range(20):
        trees.parse(language, TEXT)
    growth = []
    for _ in range(3):  # a heap may grow once for another reason; a leak grows it each time
        before = memory()
        for _ in range(400):
            trees.parse(language, TEXT)
        growth.append(memory() - before)
    assert min(growth) < MOST_GROWTH


def test_a_text_that_is_edited_is_not_kept() -> None:
    tree = trees.parse(languages.find("python"), TEXT)
    before = 0
    for number in range(1200):
        if number == 100:
            before = memory()
        assert tree is not None
        tree = tree.updated(TEXT[: number * 30] + "x = 1\n" + TEXT[number * 30 :])
    assert memory() - before < MOST_GROWTH


def test_the_last_byte_of_a_text_is_not_kept() -> None:
    tree = trees.parse(languages.find("python"), "x = y\n" * 9)
    blocks = 0
    for number in range(12_000):
        if number == 4_000:  # Python's own lists of what is free are full by then
            gc.collect()
            blocks = sys.getallocatedblocks()
        assert tree is not None
        tree = tree.updated("x = y\n" * 8 + "x" * (number % 7) + "\n")
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 2_000, "one with every parse makes 8,000"
