"""Checks a second editor window: how much memory it takes, and when it shows ghost text."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil

from bench.speed.editor import Editor, Setup, empty, ghosts_ms
from bench.speed.places import cut, file_lines, half_typed, letter_at, nearest
from bench.support.statistics import Rows, spread

FILE, SMALL_FILE = "argparse.py", "heapq.py"


def check_second_window(setup: Setup) -> Rows:
    """Opens the first editor's file in a second editor, and then a small file.

    Types the letter that comes next in the file. After any other, the model may write nothing.
    """
    lines, small = file_lines(FILE), file_lines(SMALL_FILE)
    spot, small_spot = nearest(half_typed(lines), 0.5), nearest(half_typed(small), 0.5)
    letter, small_letter = letter_at(lines, spot), letter_at(small, small_spot)
    lines, small = cut(lines, [spot]), cut(small, [small_spot])
    same, other, started, shared = [], [], [], []
    more, more_with_both = [], []
    with setup.editor() as first:
        file = first.open(FILE, lines)
        for _ in range(setup.extent.second_windows):
            first.visit(file, spot, setup.extent.rest_seconds)
            before = memory_mb([first])
            with setup.editor(is_last=False) as second:
                again = second.open(FILE, lines)
                begun = time.perf_counter()
                same.append(second.ask(again, second.type(again, spot, letter)))
                if same[-1].text:
                    started.append((begun - second.client.started) * 1000 + same[-1].first_ms)
                time.sleep(setup.extent.rest_seconds)
                more.append(memory_mb([first, second]) - before)
                fresh = second.open(SMALL_FILE, small)
                other.append(second.ask(fresh, second.type(fresh, small_spot, small_letter)))
                shared.append(_host(first) == _host(second))
                more_with_both.append(memory_mb([first, second]) - before)
    return {
        "shared_host": all(shared),
        "more_mb": spread(more),
        "more_mb_with_the_small_file": spread(more_with_both),
        "request_to_first_ghost_text_ms": ghosts_ms(same),
        "small_file_first_ghost_text_ms": ghosts_ms(other),
        "start_to_first_ghost_text_ms": spread(started),
        "empty": empty(same + other),
    }


def _host(editor: Editor) -> int:
    host: int = editor.client.status()["host_pid"]
    return host


def memory_mb(editors: Iterable[Editor]) -> float:
    """Gives the memory, in MB, of the editors' servers, hosts and child processes.

    Memory that several processes share, such as libraries, counts once (PSS). On a system without
    PSS, shared memory is left out (USS).
    """
    processes: set[psutil.Process] = set()
    for editor in editors:
        for pid in (editor.client.process.pid, _host(editor)):
            process = psutil.Process(pid)
            processes |= {process, *process.children(recursive=True)}
    found = [process.memory_full_info() for process in processes]
    return sum(getattr(one, "pss", one.uss) for one in found) / 1e6
