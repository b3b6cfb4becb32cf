"""Measures the time from a key to painted ghost text, without the server's own time.

The time is only reported: it depends on the machine, and on what else it does.
"""

import statistics
import sys
import time
from typing import Any

from tests.editors.nvim_driver import COMPLETE, READ_GHOST, Editor, Open

KEYS = 100

LINES = "".join(f"value{line} \n" for line in range(KEYS))
ANSWERS = {f"value{line} =": f" {line} + 1\n" for line in range(KEYS)}

# `on_end` comes when Neovim has drawn all windows; its clock is the one that Python reads.
NOTE_PAINT = """
local read_ghost = loadstring(...)
vim.api.nvim_set_decoration_provider(vim.api.nvim_create_namespace("paint"), {
  on_end = function()
    if not painted and read_ghost() ~= "" then
      painted = vim.uv.hrtime()
    end
  end,
})
"""


def server_times(editor: Editor) -> list[int]:
    """Gives the server's nanoseconds from each request to its first answer with text."""
    passed = editor.passed()
    times = []
    for asked in passed:
        if asked["message"].get("method") == COMPLETE:
            answered = [line["at"] for line in passed if answers(line, asked["message"])]
            times += [answered[0] - asked["at"]] if answered else []
    return times


def answers(line: dict[str, Any], request: dict[str, Any]) -> bool:
    message = line["message"]
    if line["from"] != "server":
        return False
    if message.get("method") == "$/progress":
        is_ours = message["params"]["token"] == request["params"]["partialResultToken"]
        return is_ours and bool(message["params"]["value"]["items"])
    return message.get("id") == request["id"] and bool((message.get("result") or {}).get("items"))


def test_ghost_text_is_painted_at_once(open_ready: Open, record_testsuite_property: Any) -> None:
    editor = open_ready(LINES, ANSWERS, delay_ms=0, records=True)
    editor.lua(NOTE_PAINT, READ_GHOST)
    totals = []
    for _ in range(KEYS):
        editor.keys("A")
        editor.wait(editor.pending_requests, lambda seen: seen == 0)
        editor.lua("painted = nil")
        pressed = time.monotonic_ns()
        editor.keys("=")
        time.sleep(0.05)
        painted = editor.wait(lambda: editor.lua("return painted"), lambda seen: seen is not None)
        totals.append(painted - pressed)
        editor.keys("<Esc>j")
    servers = server_times(editor)
    assert len(servers) == KEYS
    own = [(total - server) / 1e6 for total, server in zip(totals, servers)]
    cuts = statistics.quantiles(own, n=20)
    shown = f"middle {statistics.median(own):.1f} ms, 95th percentile {cuts[18]:.1f} ms"
    sys.stdout.write(f"{shown}\n")
    record_testsuite_property("neovim_keystroke_to_paint", shown)
