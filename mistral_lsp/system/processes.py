"""Processes: detaching, limits, termination signals, and killing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence

LOW_PRIORITY = 10
"""A nice value. At the lowest priority, no work would get done beside busy programs."""


class TooLong(Exception):
    """Raised when code has used more processor time than allowed."""


def detach() -> None:
    """Forks: the child continues as a detached process, and the parent exits. Loses all threads."""
    if os.fork():
        os._exit(0)
    os.setsid()


def make_files_private() -> None:
    """Sets the umask, so that new files are private to the user."""
    os.umask(0o077)


def on_end(act: Callable[[], object]) -> None:
    """Calls `act` in the running event loop at SIGTERM or SIGHUP."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, act)


def be_modest(most_memory: int) -> None:
    """Lowers this process's priority, and limits its address space to `most_memory` bytes."""
    if hasattr(os, "nice"):
        os.nice(LOW_PRIORITY)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))


@contextlib.contextmanager
def limited_time(seconds: float) -> Iterator[None]:
    """Raises TooLong in the `with` block after `seconds` of processor time, where supported."""

    def give_up(*_: object) -> None:
        raise TooLong

    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1.0)  # repeats: native code may swallow it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def is_suspended(pid: int) -> bool:
    """Whether a process is suspended by SIGSTOP. False if the process is gone."""
    import psutil  # slow to import, and seldom needed

    with contextlib.suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False


def kill(pid: int) -> None:
    """Kills a process. Does nothing if the process is gone."""
    import psutil

    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).kill()


def kill_suspended(command_end: Sequence[str]) -> None:
    """Kills processes that are suspended and whose command line ends in `command_end`."""
    import psutil

    wanted = list(command_end)
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if command[-len(wanted) :] == wanted and is_suspended(process.pid):
            kill(process.pid)
