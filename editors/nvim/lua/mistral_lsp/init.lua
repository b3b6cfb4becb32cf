--- Ghost text from the mistral-lsp server: what a user's configuration calls.
local client = require("mistral_lsp.client")
local commands = require("mistral_lsp.commands")
local config = require("mistral_lsp.config")
local cursor = require("mistral_lsp.cursor")
local ghost = require("mistral_lsp.ghost")
local keymaps = require("mistral_lsp.keymaps")
local message = require("mistral_lsp.message")
local popup = require("mistral_lsp.popup")
local server = require("mistral_lsp.server")
local suggestion = require("mistral_lsp.suggestion")

local M = {}

local function follow_events()
  local group = vim.api.nvim_create_augroup("mistral_lsp", {})
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback })
  end
  on({ "BufEnter", "BufFilePost" }, function(event)
    server.attach(event.buf)
  end)
  on("BufFilePre", function(event)
    server.before_rename(event.buf)
  end)
  on("FileType", function(event)
    server.reattach(event.buf)
  end)
  on({ "TextChangedI", "TextChangedP", "CursorMovedI" }, suggestion.changed)
  on({ "BufReadPost", "LspAttach" }, client.opened)
  on({
    "BufEnter",
    "BufReadPost",
    "BufWritePost",
    "CursorMoved",
    "CursorMovedI",
    "LspAttach",
    "TextChanged",
    "TextChangedI",
    "TextChangedP",
  }, cursor.moved)
  on({ "InsertLeave", "BufLeave" }, suggestion.clear)
  on("ColorScheme", ghost.define_highlights)
  popup.follow(group, suggestion.look_again)
  vim.api.nvim_create_autocmd("User", {
    group = group,
    pattern = "MistralLspReady",
    callback = suggestion.look_again,
  })
end

---@param options table|nil see |mistral-lsp-options|
function M.setup(options)
  vim.iter(config.set(options)):each(message.warn)
  ghost.define_highlights()
  keymaps.define()
  commands.define()
  follow_events()
  server.attach_all()
end

--- For key mappings of one's own: each returns false where there was nothing to do.
local actions = {
  "accept",
  "accept_word",
  "accept_line",
  "next",
  "previous",
  "dismiss",
  "trigger",
}
for _, action in ipairs(actions) do
  M[action] = function()
    return keymaps.act(action)
  end
end

--- The state of the current buffer's server for a statusline; empty where there is none.
---@return string
function M.status()
  local status = server.status(vim.api.nvim_get_current_buf())
  return status and "mistral " .. status.state or ""
end

return M
