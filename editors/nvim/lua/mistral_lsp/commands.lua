--- The user command `:MistralLsp`.
local client = require("mistral_lsp.client")
local explanation = require("mistral_lsp.explanation")
local message = require("mistral_lsp.message")
local models = require("mistral_lsp.models")
local server = require("mistral_lsp.server")
local suggestion = require("mistral_lsp.suggestion")

local M = {}

--- One line for each entry, so that the server decides what a status holds.
local function lines_of(result)
  if type(result) ~= "table" then
    return { tostring(result) }
  end
  local lines = {}
  for name, value in vim.spairs(result) do
    local shown = type(value) == "table" and vim.inspect(value, { newline = " ", indent = "" })
    table.insert(lines, ("%s: %s"):format(name, shown or tostring(value)))
  end
  return lines
end

local function show(result)
  if result ~= nil then
    vim.notify(table.concat(lines_of(result), "\n"))
  end
end

local actions = {
  status = function()
    client.ask_status(show)
  end,
  explain = function()
    client.explain(explanation.show)
  end,
  toggle = function()
    suggestion.clear()
    vim.notify("mistral-lsp is " .. (client.toggle() and "on" or "off"))
  end,
  model = function(name)
    if name then
      models.use(name)
    else
      models.choose()
    end
  end,
  restart = function()
    suggestion.clear()
    server.restart()
  end,
}

--- What follows the action, such as a path with blanks; each blank may have a backslash before it.
local function argument_of(command)
  return #command.fargs > 2 and command.args:match("^%S+%s+(.-)%s*$") or command.fargs[2]
end

function M.define()
  vim.api.nvim_create_user_command("MistralLsp", function(command)
    local action = actions[command.fargs[1]]
    if action then
      action(argument_of(command))
    else
      message.warn(("there is no action `%s`"):format(command.fargs[1]))
    end
  end, {
    nargs = "+",
    desc = "status, explain, toggle, model or restart",
    complete = function(typed)
      return vim.tbl_filter(function(name)
        return vim.startswith(name, typed)
      end, { "explain", "model", "restart", "status", "toggle" })
    end,
  })
end

return M
