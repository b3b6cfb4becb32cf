--- Chooses a model: of this machine by the server's own command line, so that all editors and the
--- terminal agree; of a model server by a setting.
local client = require("mistral_lsp.client")
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

--- Takes a model of this machine from now on: a known one that is here, or a GGUF file.
---@param name string
local function use_here(name)
  run(command("use", name), function()
    config.options.settings.model = nil
    server.restart()
    message.tell("the model is " .. name)
  end)
end

--- Takes a model of the model server. The user's configuration is a program, so it stays as it is.
---@param name string
local function use_on_server(name)
  client.set("httpModel", name)
  message.tell(("the model is %s; to keep it, set settings.httpModel"):format(name))
end

--- Downloads in a terminal below, where the server's command shows how far it is.
local function pull_and_use(name)
  vim.cmd("botright 6new")
  local buffer = vim.api.nvim_get_current_buf()
  local options = {
    on_exit = function(_, code)
      if code == 0 then
        vim.api.nvim_buf_delete(buffer, { force = true })
        use_here(name)
      end
    end,
  }
  if vim.fn.has("nvim-0.11") == 1 then
    vim.fn.jobstart(command("pull", name), vim.tbl_extend("error", options, { term = true }))
  else
    vim.fn.termopen(command("pull", name), options)
  end
end

local function describe_known(model)
  local where = model.used and "in use" or model.here and "here" or "to be downloaded"
  local shown = "%s: %g billion parameters, %g GB, %s"
  return shown:format(model.name, model.parameters, model.gigabytes, where)
end

local function describe_on_server(model)
  return model.used and model.name .. ": in use" or model.name
end

local function is_of_server(offer)
  return offer.setting == "httpModel"
end

--- Takes the model of this name: of the model server where one is set, else of this machine.
---@param name string
function M.use(name)
  if not server.clients():next() then
    use_here(name)
    return
  end
  client.ask_models(function(offer)
    local use = is_of_server(offer) and use_on_server or use_here
    use(name)
  end)
end

--- Lets the user choose among the models that the server offers.
function M.choose()
  client.ask_models(function(offer)
    if offer.problem ~= "" then
      message.warn(offer.problem .. " A model can also be named: `:MistralLsp model NAME`")
      return
    end
    local describe = is_of_server(offer) and describe_on_server or describe_known
    vim.ui.select(offer.models, { prompt = "Model", format_item = describe }, function(model)
      if not model then
        return
      elseif is_of_server(offer) then
        use_on_server(model.name)
      elseif model.here then
        use_here(model.name)
      else
        pull_and_use(model.name)
      end
    end)
  end)
end

return M
