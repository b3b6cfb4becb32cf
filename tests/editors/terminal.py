"""Runs a program in a real terminal of 80 by 24 characters, controlled through tmux."""

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

WAIT_SECONDS = 30


class Terminal:
    """A program in its own tmux session."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        assert shutil.which("tmux"), "install tmux: the terminal's tests type through it"
        self._name = f"mistral-lsp-{uuid.uuid4().hex[:8]}"
        tmux = ["new-session", "-d", "-x", "80", "-y", "24", *command]
        # A terminal's own settings must not be those of whoever runs the tests.
        own = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(folder), **environment}
        done = subprocess.run(
            ["tmux", "-u", "-L", self._name, "-f", os.devnull, *tmux],
            cwd=folder,
            env={**os.environ, **own},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        # An Escape is not held back, waiting for the rest of a sequence.
        self._tmux("set-option", "-s", "escape-time", "0")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._name, *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Types keys by tmux's names (`Tab`, `C-Right`); other words are typed as they are."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Types text literally, even if it is the name of a key."""
        self._tmux("send-keys", "-l", text)

    def screen(self) -> list[str]:
        return self._tmux("capture-pane", "-p").splitlines()

    def styled_screen(self) -> str:
        """Gives the screen's text, with escape sequences for colours."""
        return self._tmux("capture-pane", "-pe")

    def cursor(self) -> tuple[int, int]:
        """Gives the cursor's column and row, counted from 0."""
        column, row = self._tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(column), int(row)

    def shows(self, is_right: Callable[[list[str]], bool], seconds: float) -> bool:
        """Waits up to `seconds` until `is_right` accepts the screen; gives whether it did."""
        deadline = time.perf_counter() + seconds
        while not is_right(self.screen()):
            if time.perf_counter() > deadline:
                return False
            time.sleep(0.03)
        return True

    def wait(
        self, is_right: Callable[[list[str]], bool], seconds: float = WAIT_SECONDS
    ) -> list[str]:
        """Waits until `is_right` accepts the screen, and gives it. Fails after `seconds`."""
        assert self.shows(is_right, seconds), "still:\n" + "\n".join(self.screen())
        return self.screen()

    def wait_for(self, *lines: str) -> None:
        """Waits until the screen shows these lines, one directly below the other."""

        def has_lines(screen: list[str]) -> bool:
            shown = [line.rstrip() for line in screen]
            starts = range(len(shown) - len(lines) + 1)
            return any(shown[start : start + len(lines)] == list(lines) for start in starts)

        self.wait(has_lines)

    def children(self) -> list[psutil.Process]:
        """Gives the child processes of the program."""
        return psutil.Process(int(self._tmux("display-message", "-p", "#{pane_pid}"))).children()

    def close(self) -> None:
        self._tmux("kill-server")
