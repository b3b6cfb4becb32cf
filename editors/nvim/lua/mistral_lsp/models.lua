--- Chooses a model by the server's own command line, so that all editors and the terminal agree.
local config = require("mistral_lsp.config")
local message = require("mistral_lsp.message")
local server = require("mistral_lsp.server")

local M = {}

local function command(...)
  return vim.list_extend(vim.deepcopy(config.options.cmd), { "models", ... })
end

local function run(arguments, on_output)
  vim.system(arguments, { text = true }, function(done)
    vim.schedule(function()
      if done.code == 0 then
        on_output(done.stdout)
      else
        message.warn(vim.trim(done.stderr:gsub("^mistral%-lsp: ", "")))
      end
    end)
  end)
end

--- Takes a model from now on: a known one that is on this machine, or a GGUF file.
---@param name string
function M.use(name)
  run(command("use", name), function()
    config.options.settings.model = nil
    server.restart()
    vim.notify("mistral-lsp: the model is " .. name)
  end)
end

--- Downloads in a terminal below, where the server's command shows how far it is.
local function pull_and_use(name)
  vim.cmd("botright 6new")
  local buffer = vim.api.nvim_get_current_buf()
  local options = {
    on_exit = function(_, code)
      if code == 0 then
        vim.api.nvim_buf_delete(buffer, { force = true })
        M.use(name)
      end
    end,
  }
  if vim.fn.has("nvim-0.11") == 1 then
    vim.fn.jobstart(command("pull", name), vim.tbl_extend("error", options, { term = true }))
  else
    vim.fn.termopen(command("pull", name), options)
  end
end

local function described(model)
  local where = model.used and "in use" or model.here and "here" or "to be downloaded"
  local shown = "%s: %g billion parameters, %g GB, %s"
  return shown:format(model.name, model.parameters, model.gigabytes, where)
end

--- Lets the user choose among the models that the server knows.
function M.choose()
  run(command("list", "--json"), function(output)
    local models = vim.json.decode(output).models
    vim.ui.select(models, { prompt = "Model", format_item = described }, function(model)
      if model and model.here then
        M.use(model.name)
      elseif model then
        pull_and_use(model.name)
      end
    end)
  end)
end

return M
