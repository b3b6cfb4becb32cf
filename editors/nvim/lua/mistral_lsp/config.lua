--- What the user may set, and its defaults.
local M = {}

---@class mistral_lsp.Keymaps
---@field accept string|false
---@field accept_word string|false
---@field accept_line string|false
---@field next string|false
---@field previous string|false
---@field dismiss string|false
---@field trigger string|false

---@class mistral_lsp.Config
---@field cmd string[] how the server is started
---@field settings table the server's own settings, under the names it documents
---@field keymaps mistral_lsp.Keymaps keys of insert mode; `false` leaves a key alone
---@field filetypes string[]|nil where to offer completions; nil means everywhere
---@field auto_trigger boolean whether to offer completions while typing, or only when asked for
---@field debounce_ms integer how long the keys must rest before the server is asked
local defaults = {
  cmd = { "mistral-lsp" },
  settings = {},
  keymaps = {
    accept = "<Tab>",
    accept_word = "<C-Right>",
    accept_line = "<C-l>",
    next = "<M-]>",
    previous = "<M-[>",
    dismiss = "<C-]>",
    trigger = "<M-Bslash>",
  },
  filetypes = nil,
  auto_trigger = true,
  debounce_ms = 0,
}

local expected = {
  cmd = "list",
  settings = "table",
  keymaps = "table",
  filetypes = "list",
  auto_trigger = "boolean",
  debounce_ms = "number",
}

---@type mistral_lsp.Config
M.options = vim.deepcopy(defaults)

local function has_type(value, kind)
  if kind == "list" then
    return vim.islist(value) and #value > 0
  end
  return type(value) == kind
end

--- Names every option that cannot be used, so that one bad value costs only itself.
local function faults_of(options)
  local faults = {}
  for name, value in pairs(options) do
    if not expected[name] then
      faults[name] = ("there is no option `%s`"):format(name)
    elseif not has_type(value, expected[name]) then
      faults[name] = ("`%s` must be a %s"):format(name, expected[name])
    end
  end
  for action, key in pairs(type(options.keymaps) == "table" and options.keymaps or {}) do
    if defaults.keymaps[action] == nil then
      faults.keymaps = ("there is no key for `%s`"):format(action)
    elseif type(key) ~= "string" and key ~= false then
      faults.keymaps = ("the key for `%s` must be a string or false"):format(action)
    end
  end
  return faults
end

---@param options table|nil
---@return string[] faults sentences for the user; each faulty option keeps its default
function M.set(options)
  options = vim.deepcopy(options or {})
  local faults = faults_of(options)
  for name in pairs(faults) do
    options[name] = nil
  end
  M.options = vim.tbl_deep_extend("force", vim.deepcopy(defaults), options)
  return vim.tbl_values(faults)
end

return M
