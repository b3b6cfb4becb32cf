"""Memory that is not used does not stay with the process."""

from __future__ import annotations

import platform

import psutil
import pytest

from mistral_lsp.memory import LEAST_SECONDS, Gaps


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="its allocator alone keeps gaps")
def test_what_texts_leave_between_others_is_given_back_now_and_then() -> None:
    now = 0.0
    gaps = Gaps(lambda: now)
    pairs = [(bytes(20_000), bytes(1_000)) for _ in range(2_000)]
    kept = [small for _, small in pairs]
    del pairs
    before = psutil.Process().memory_info().rss
    gaps.give_back()
    assert psutil.Process().memory_info().rss > before - 1_000_000, "it was just there"
    now += LEAST_SECONDS
    gaps.give_back()
    assert psutil.Process().memory_info().rss < before - 20_000_000
    assert len(kept) == 2_000
