"""Processes: how one leaves its starter, is limited, is asked to end, and is found suspended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence

import psutil

LOWEST_PRIORITY = 19


class TooLong(Exception):
    """Something took more of the processor's time than it was given."""


def detach() -> None:
    """Goes on as a process of its own; the one that was started ends. Threads would be lost."""
    if os.fork():
        os._exit(0)
    os.setsid()


def make_files_private() -> None:
    """Lets nobody else read the files that this process makes."""
    os.umask(0o077)


def on_end(act: Callable[[], object]) -> None:
    """Calls `act` on the running loop where a signal asks this process to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, act)


def be_modest(most_memory: int) -> None:
    """Gives way to all other processes, and takes no more than so many bytes of addresses."""
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))


@contextlib.contextmanager
def limited_time(seconds: float) -> Iterator[None]:
    """Raises TooLong within, after so much time of the processor, where the system can do that."""

    def give_up(*_: object) -> None:
        raise TooLong

    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1.0)  # again, where native code swallows one
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def is_suspended(pid: int) -> bool:
    """Whether a signal (SIGSTOP) has suspended a process; one that is gone is not."""
    with contextlib.suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False


def kill(pid: int) -> None:
    """Ends a process by force; one that is gone is no error."""
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).kill()


def kill_suspended(command_end: Sequence[str]) -> None:
    """Ends the suspended processes whose command lines end so: they will never answer."""
    wanted = list(command_end)
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if command[-len(wanted) :] == wanted and is_suspended(process.pid):
            kill(process.pid)
