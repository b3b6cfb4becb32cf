--- Messages for the user.
local M = {}

--- Shows a warning in place of what the screen says: two messages at once would wait for a key, and
--- so would one that is longer than about 68 characters on a screen of 80.
---@param text string
M.warn = vim.schedule_wrap(function(text)
  vim.cmd.redraw()
  vim.notify("mistral-lsp: " .. text, vim.log.levels.WARN)
end)

return M
