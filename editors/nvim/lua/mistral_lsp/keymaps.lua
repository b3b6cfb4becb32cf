--- The keys of insert mode. Where one has nothing to act on, it means what it always meant.
local config = require("mistral_lsp.config")
local edit = require("mistral_lsp.edit")
local suggestion = require("mistral_lsp.suggestion")

local M = {}

local parts = {
  accept = function(text)
    return text
  end,
  accept_word = edit.first_word,
  accept_line = edit.first_line,
}

--- Puts keys before those that are already waiting, so that fast typing keeps its order.
local function press(keys, flags)
  vim.api.nvim_feedkeys(vim.keycode(keys), flags .. "i", false)
end

--- An accepted part stands between two undo breaks, which only keys can set in insert mode.
local write_keys = "<C-g>u<Cmd>lua require('mistral_lsp.keymaps').write('%s')<CR><C-g>u"

local steps = { next = 1, previous = -1 }

---@param action "accept"|"accept_word"|"accept_line"|"next"|"previous"|"dismiss"|"trigger"
---@return boolean done false where nothing is shown, or where nobody can be asked
function M.act(action)
  if action == "trigger" then
    return suggestion.trigger()
  elseif not suggestion.is_shown() then
    return false
  end
  if action == "dismiss" then
    suggestion.reject()
  elseif steps[action] then
    suggestion.cycle(steps[action])
  else
    press(write_keys:format(action), "n")
  end
  return true
end

---@param action "accept"|"accept_word"|"accept_line"
function M.write(action)
  suggestion.accept(parts[action])
end

--- Keeps the mapping that a key had under a name of its own, to be used when nothing is shown.
---@return boolean kept false where the key had no mapping but ours
local function keep_mapping(key, name, our_description)
  local mapping = vim.fn.maparg(key, "i", false, true)
  if mapping.desc == our_description then
    return vim.fn.maparg(name, "i") ~= ""
  elseif vim.tbl_isempty(mapping) or mapping.buffer == 1 then
    return false
  end
  mapping.lhs = name
  mapping.lhsraw = vim.keycode(name)
  mapping.lhsrawalt = nil
  vim.fn.mapset("i", false, mapping)
  return true
end

local function map(action, key)
  local description = "mistral-lsp: " .. action
  local name = ("<Plug>(mistral-lsp-before-%s)"):format(action)
  local is_kept = keep_mapping(key, name, description)
  vim.keymap.set("i", key, function()
    if not M.act(action) then
      press(is_kept and name or key, is_kept and "m" or "n")
    end
  end, { desc = description })
end

function M.define()
  for action, key in pairs(config.options.keymaps) do
    if key then
      map(action, key)
    end
  end
end

return M
