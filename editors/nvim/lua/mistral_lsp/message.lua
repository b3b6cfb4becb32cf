--- Messages for the user, none of which waits for a key.
local M = {}

local function beginning(text, width)
  local shown, characters = text, vim.fn.strchars(text)
  while vim.fn.strdisplaywidth(shown) > width do
    characters = characters - 1
    shown = vim.fn.strcharpart(text, 0, characters) .. "…"
  end
  return shown
end

--- Gives a long text room for a moment, so that `:messages` has all of it and nothing waits for a
--- key; its beginning is what stays.
local function notify_with_room(text, level)
  local height = vim.o.cmdheight
  vim.o.cmdheight = math.min(math.ceil(#text / vim.o.columns) + 1, vim.o.lines - 2)
  vim.notify(text, level)
  vim.cmd.redraw()
  vim.o.cmdheight = height
  local highlight = level == vim.log.levels.WARN and "WarningMsg" or nil
  vim.api.nvim_echo({ { beginning(text, vim.v.echospace), highlight } }, false, {})
end

--- Shows a message in place of what the screen says: two messages at once would wait for a key.
local show = vim.schedule_wrap(function(text, level)
  text = "mistral-lsp: " .. text
  vim.cmd.redraw()
  if vim.fn.strdisplaywidth(text) > vim.v.echospace then
    notify_with_room(text, level)
  else
    vim.notify(text, level)
  end
end)

---@param text string
function M.warn(text)
  show(text, vim.log.levels.WARN)
end

---@param text string
function M.tell(text)
  show(text, vim.log.levels.INFO)
end

return M
