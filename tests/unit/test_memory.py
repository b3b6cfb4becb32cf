"""Unused memory is returned to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCATTER = """
import psutil
from mistral_lsp.system.memory import LEAST_SECONDS, FreedMemory

def resident():
    return psutil.Process().memory_info().rss

now = 0.0
freed = FreedMemory(lambda: now)
pairs = [(bytes(20_000), bytes(1_000)) for _ in range(2_000)]
kept = [small for _, small in pairs]
del pairs
print(resident())
freed.give_back()
print(resident())
now += LEAST_SECONDS
freed.give_back()
print(resident())
"""
"""A program for a new process: in an old one, its byte strings would fill gaps in the heap."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it alone keeps what was freed")
def test_what_texts_leave_between_others_is_given_back_now_and_then() -> None:
    told = subprocess.run(
        [sys.executable, "-c", SCATTER], check=True, capture_output=True, text=True
    ).stdout.split()
    before, at_once, later = map(int, told)
    assert at_once > before - 1_000_000, "it was just there"
    assert later < before - 20_000_000
