"""Ghost text beside completion menus: Neovim's own, and those of nvim-cmp and blink.cmp.

These two plugins are in no package registry, so the tests imitate them. Tests with the real plugins
run, too, if MISTRAL_LSP_NVIM_PLUGINS names a folder with `nvim-cmp` and `blink.cmp`.
"""

import os
import time
from pathlib import Path

import pytest

from tests.editors.nvim_driver import COMPLETE, Editor, Open

PLUGINS = os.environ.get("MISTRAL_LSP_NVIM_PLUGINS", "")

ACTED_CMP = """
local listeners = {}
is_menu_open = false
package.loaded["cmp"] = {
  visible = function() return is_menu_open end,
  event = { on = function(_, name, listener) listeners[name] = listener end },
}
local function set_menu(open)
  is_menu_open = open
  listeners[open and "menu_opened" or "menu_closed"]()
end
vim.keymap.set("i", "<C-Space>", function() set_menu(true) end)
vim.keymap.set("i", "<C-e>", function() set_menu(false) end)
"""

ACTED_BLINK = """
is_menu_open = false
package.loaded["blink.cmp"] = { is_menu_visible = function() return is_menu_open end }
local function set_menu(open)
  is_menu_open = open
  local pattern = open and "BlinkCmpMenuOpen" or "BlinkCmpMenuClose"
  vim.api.nvim_exec_autocmds("User", { pattern = pattern })
end
vim.keymap.set("i", "<C-Space>", function() set_menu(true) end)
vim.keymap.set("i", "<C-e>", function() set_menu(false) end)
"""

REAL_CMP = """
vim.opt.runtimepath:prepend(vim.env.MISTRAL_LSP_NVIM_PLUGINS .. "/nvim-cmp")
local cmp = require("cmp")
cmp.register_source("words", {
  complete = function(_, _, callback) callback({ { label = "return" }, { label = "rewind" } }) end,
})
cmp.setup({
  completion = { autocomplete = false },
  sources = { { name = "words" } },
  mapping = {
    ["<C-Space>"] = cmp.mapping.complete(),
    ["<C-e>"] = cmp.mapping.abort(),
    ["<Tab>"] = function(fallback)
      if cmp.visible() then cmp.select_next_item() else fallback() end
    end,
  },
})
"""

REAL_BLINK = """
vim.opt.runtimepath:prepend(vim.env.MISTRAL_LSP_NVIM_PLUGINS .. "/blink.cmp")
local blink = require("blink.cmp")
blink.setup({
  fuzzy = { implementation = "lua" },
  completion = { menu = { auto_show = false } },
  keymap = { preset = "super-tab" },
  sources = { default = { "buffer" } },
})
"""

NEEDS_PLUGINS = pytest.mark.skipif(
    not PLUGINS, reason="MISTRAL_LSP_NVIM_PLUGINS names no folder with nvim-cmp and blink.cmp"
)


def is_menu_open(editor: Editor) -> bool:
    return editor.lua("return require('mistral_lsp.popup').is_open()")


@pytest.mark.parametrize(
    "plugin",
    [
        pytest.param(ACTED_CMP, id="as nvim-cmp"),
        pytest.param(ACTED_BLINK, id="as blink.cmp"),
        pytest.param(REAL_CMP, id="nvim-cmp", marks=NEEDS_PLUGINS),
        pytest.param(REAL_BLINK, id="blink.cmp", marks=NEEDS_PLUGINS),
    ],
)
def test_ghost_text_steps_aside_for_a_menu_and_comes_back(open_ready: Open, plugin: str) -> None:
    text = "def add(a, b):\n    \n\nreturning = rest = reading = 0\n"
    editor = open_ready(text, before_setup=plugin)
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<C-Space>")
    editor.wait(lambda: is_menu_open(editor), lambda seen: seen)
    editor.wait_for_ghost("")
    asked = editor.received(COMPLETE)
    time.sleep(0.2)
    assert editor.received(COMPLETE) == asked
    editor.keys("<C-e>")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<Tab>")
    editor.wait(editor.lines, lambda seen: seen[1] == "    return a + b")


def test_neovims_own_menu_keeps_its_keys(open_ready: Open) -> None:
    editor = open_ready("def add(a, b):\n    \n\nreading = rest = 0\n")
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<C-n>")
    editor.wait(lambda: is_menu_open(editor), lambda seen: seen)
    editor.wait_for_ghost("")
    editor.keys("<C-e>")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<Tab>")
    editor.wait(editor.lines, lambda seen: seen[1] == "    return a + b")


@pytest.mark.skipif(not PLUGINS, reason="MISTRAL_LSP_NVIM_PLUGINS names no folder with lazy.nvim")
def test_the_spec_for_lazy_nvim_loads_the_plugin(start: Open) -> None:
    spec = Path("editors/nvim/README.md").read_text("utf-8").split("```lua\n{ dir = ")[1]
    spec = "{ dir = " + spec.split("```")[0].replace("opts = {}", "opts = options")
    spec = spec.replace('"~/src/mistral-lsp/editors/nvim"', "vim.env.MISTRAL_LSP_PLUGIN")
    loader = f"""
vim.opt.runtimepath:prepend(vim.env.MISTRAL_LSP_NVIM_PLUGINS .. "/lazy.nvim")
require("lazy").setup({{ {spec} }}, {{ performance = {{ rtp = {{ reset = false }} }} }})
vim.api.nvim_exec_autocmds("User", {{ pattern = "VeryLazy" }})
require("mistral_lsp").setup = function() end
"""
    editor = start(before_setup=loader)
    editor.wait_for_status("mistral ready")
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
