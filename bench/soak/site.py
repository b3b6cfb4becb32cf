"""A site for soak tests: editors that share an engine host, and the faults injected there."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import psutil

from bench.soak.editor import Editor

Fault = Callable[[], float]
"""Injects a fault. Gives the moment from which the recovery is timed."""

RECOVERY_SECONDS = 60.0
ANSWER = {"answers": [{"after": "", "answer": "value + 1\n"}], "delay_ms": 0.2}
MODEL = "model.gguf"


class Site:
    """Editors that share one engine host, in private folders."""

    def __init__(self, chance: Random, editors: int = 2, model: Path | None = None):
        """Starts the editors, and so a host. Without `model`, the scripted engine is used."""
        self.folder = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
        self.chance = chance
        self.model = model
        self.lost: list[str] = []
        self.requests = self.gave_up = 0
        self.slowest = 0.0
        self.mounted = model is None and self._mount()
        (self.folder / "script.json").write_text(json.dumps(ANSWER))
        if model is not None:
            self._copy_model()
        self.editors = [self._editor() for _ in range(editors)]
        self.recovered(time.monotonic())

    def _mount(self) -> bool:
        """Mounts a small file system, which a fault fills later. False if not permitted."""
        (self.folder / "run").mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=64,mode=700", "soak"]
        done = subprocess.run([*command, self.folder / "run"], capture_output=True, check=False)
        return done.returncode == 0

    def _editor(self) -> Editor:
        (self.folder / "run").mkdir(mode=0o700, exist_ok=True)
        environment = {
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "MISTRAL_LSP_SCRIPT": str(self.folder / "script.json"),
        }
        if self.model is not None:
            return Editor(environment, "--model", str(self.folder / MODEL))
        return Editor(environment, "--engine", "scripted")

    def hosts(self) -> list[psutil.Process]:
        """Finds this site's running hosts."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or [""]
            if "mistral_lsp.engine.host.daemon" in words and words[-1].startswith(str(self.folder)):
                found.append(process)
        return found

    def faults(self) -> list[Fault]:
        """Gives the kinds of faults that are possible here."""
        if self.model is not None:
            return [self.truncate_model, self.replace_model, self.starve, self.kill, self.stop]
        found = [self.kill, self.stop, self.abort, self.starve, self.unlink, self.vanish]
        return [*found, self.pause, self.fill_disk] if self.mounted else [*found, self.pause]

    # The faults

    def _signal(self, number: int) -> float:
        for host in self.hosts():
            host.send_signal(number)
        return time.monotonic()

    def kill(self) -> float:
        """Kills the host."""
        return self._signal(signal.SIGKILL)

    def stop(self) -> float:
        """Suspends the host (SIGSTOP)."""
        return self._signal(signal.SIGSTOP)

    def abort(self) -> float:
        """Ends the host by a signal, as a crash in native code would."""
        return self._signal(self.chance.choice((signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS)))

    def starve(self) -> float:
        """Makes all further memory allocations of the host fail."""
        for host in self.hosts():
            resource.prlimit(host.pid, resource.RLIMIT_AS, (1, 1))
        return time.monotonic()

    def unlink(self) -> float:
        """Deletes the host's socket, and replaces one editor by a new one."""
        for path in (self.folder / "run").rglob("*.socket"):
            path.unlink()
        return self.vanish()

    def vanish(self) -> float:
        """Ends an editor without a shutdown, and starts a new one."""
        editor = self.editors.pop(self.chance.randrange(len(self.editors)))
        self._count(editor)
        editor.vanish(self.chance.random() < 0.5)
        started = time.monotonic()
        self.editors.append(self._editor())
        return started

    def pause(self) -> float:
        """Suspends a server for 0.5 s, as happens when a laptop is closed."""
        server = psutil.Process(self.chance.choice(self.editors).pid)
        server.suspend()
        time.sleep(0.5)
        server.resume()
        return time.monotonic()

    def fill_disk(self) -> float:
        """Fills the disk for a while, and kills the host: no new host can start meanwhile."""
        filler = self.folder / "run" / "filler"
        filler.mkdir()
        try:
            for number in range(100):
                (filler / str(number)).write_bytes(b"x" * 32_768)
        except OSError:
            pass
        for number in range(100):
            if not _touched(filler / f"i{number}"):
                break
        self.kill()
        time.sleep(self.chance.random())
        shutil.rmtree(filler)
        return time.monotonic()

    def truncate_model(self) -> float:
        """Truncates the model's file while the host has it mapped, then restores it."""
        os.truncate(self.folder / MODEL, self.chance.randrange(1_000_000, 90_000_000))
        time.sleep(1.0)
        self._copy_model()
        return time.monotonic()

    def replace_model(self) -> float:
        """Replaces the model's file by a copy, and sometimes kills the host."""
        self._copy_model()
        return self.kill() if self.chance.random() < 0.5 else time.monotonic()

    def _copy_model(self) -> None:
        assert self.model is not None
        fresh = self.folder / "fresh.gguf"
        shutil.copyfile(self.model, fresh)
        fresh.replace(self.folder / MODEL)

    # Checks

    def recovered(self, since: float) -> float | None:
        """Waits until every editor shows text requested after `since`; gives the seconds.

        If a server has given up the engine, this reloads the engine, as the server's message
        advises, and counts the seconds from then on. None: no recovery in time, or a server died.
        """
        deadline = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < deadline:
            if not all(editor.conversation.alive for editor in self.editors):
                return None
            back = [editor.shown_again(since) for editor in self.editors]
            if all(back):
                return max(arrived for arrived in back if arrived is not None) - since
            for editor, arrived in zip(self.editors, back):
                if arrived is None and editor.failed:
                    self.gave_up += 1
                    since = time.monotonic()
                    editor.reload()
            time.sleep(0.02)
        return None

    def zombies(self) -> int:
        """Counts zombies: child processes that have ended but were not waited for."""
        count = 0
        for editor in self.editors:
            for child in psutil.Process(editor.pid).children(recursive=True):
                count += child.status() == psutil.STATUS_ZOMBIE
        return count

    def _count(self, editor: Editor) -> None:
        self.requests += editor.requests
        self.slowest = max(self.slowest, editor.slowest)

    def close(self) -> dict[str, int]:
        """Closes all editors; counts the hosts and sockets that are left."""
        for editor in self.editors:
            self._count(editor)
            self.lost += editor.close()
        psutil.wait_procs(self.hosts(), timeout=8)
        left = {
            "hosts_left": len(self.hosts()),
            "sockets_left": len(list(self.folder.rglob("*.socket"))),
        }
        for host in self.hosts():
            host.kill()
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder / "run"], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        return left


def _touched(path: Path) -> bool:
    try:
        path.touch()
    except OSError:
        return False
    return True
