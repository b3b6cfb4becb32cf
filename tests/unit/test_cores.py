"""Threads created by a C library start on other cores than the thread that creates them."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from mistral_lsp.inference.backends.cores import OtherCores


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two cores",
)
def test_a_thread_started_without_attributes_begins_on_another_core() -> None:
    cores = OtherCores().prefer()
    allowed = os.sched_getaffinity(0)
    assert len(cores) == len(allowed) - 1
    assert cores < allowed

    found = []
    routine = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    look = routine(lambda _: found.append(os.sched_getaffinity(0)))
    library = ctypes.CDLL(None)
    thread = ctypes.c_ulong()
    assert library.pthread_create(ctypes.byref(thread), None, look, None) == 0
    library.pthread_join(thread, None)
    assert found == [cores]
    assert os.sched_getaffinity(0) == allowed, "the caller itself may run anywhere"
