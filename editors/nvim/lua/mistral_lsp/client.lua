--- Speaks the server's protocol: requests, and what it is told of.
local config = require("mistral_lsp.config")
local edit = require("mistral_lsp.edit")
local message = require("mistral_lsp.message")
local server = require("mistral_lsp.server")

local M = {}

local COMPLETE = "textDocument/inlineCompletion"
local INVOKED, AUTOMATIC = 1, 2

---@type table<string, fun(items: table[])> who waits for partial results, by token
local listeners = {}
local last_token = 0
--- The place that a server heard of last, in a request or in a notification.
local known_place = nil

local call = server.call

server.handlers["$/progress"] = function(err, params, context, ...)
  local listener = listeners[params.token]
  if listener then
    listener(params.value.items)
  else
    vim.lsp.handlers["$/progress"](err, params, context, ...)
  end
end

--- A document that is opened begins anew, and so does what its server knows of it.
function M.opened()
  known_place = nil
end

--- A place in the current buffer, as the protocol names it. What Neovim 0.10 has for this goes
--- wrong left of the end of a line with characters of several bytes.
---@param row integer from 1
---@param column integer in bytes, from 0
local function place_params(client, row, column)
  local line = vim.api.nvim_buf_get_lines(0, row - 1, row, false)[1] or ""
  return {
    textDocument = vim.lsp.util.make_text_document_params(0),
    position = {
      line = row - 1,
      character = edit.character_of(line, column, client.offset_encoding),
    },
  }
end

local function cursor_params(client)
  return place_params(client, unpack(vim.api.nvim_win_get_cursor(0)))
end

--- A place counts with the version of its document, and not with Neovim's `changedtick`, since that
--- counts a save as well.
---@param client vim.lsp.Client
---@param buffer integer
---@return table params
---@return boolean is_new whether its server has not heard of this place yet
local function look_at_cursor(client, buffer)
  local params = cursor_params(client)
  local place = { client.id, vim.lsp.util.buf_versions[buffer], vim.deepcopy(params) }
  local is_new = not vim.deep_equal(place, known_place)
  known_place = place
  return params, is_new
end

---@class mistral_lsp.Request
---@field is_running fun(): boolean
---@field cancel fun()

--- Asks for completions at the cursor of the current window.
---@param client vim.lsp.Client
---@param buffer integer
---@param is_invoked boolean whether the user asked, and not the plugin by itself
---@param on_items fun(items: table[], is_final: boolean) called for each partial result as well
---@return mistral_lsp.Request
function M.complete(client, buffer, is_invoked, on_items)
  last_token = last_token + 1
  local token = server.NAME .. "/" .. last_token
  local params = look_at_cursor(client, buffer)
  params.context = { triggerKind = is_invoked and INVOKED or AUTOMATIC }
  params.partialResultToken = token
  listeners[token] = function(items)
    on_items(items, false)
  end
  local _, id = call(client, "request", COMPLETE, params, function(err, result)
    listeners[token] = nil
    on_items(not err and result and result.items or {}, true)
  end, buffer)

  local function is_running()
    return id ~= nil and client.requests[id] ~= nil
  end
  return {
    is_running = is_running,
    cancel = function()
      listeners[token] = nil
      if is_running() then
        -- Neovim's own `cancel_request` would overtake the change that made the request old, which
        -- the server needs to see first: it goes on with an answer that is being typed.
        call(client, "notify", "$/cancelRequest", { id = id })
      end
    end,
  }
end

---@param client vim.lsp.Client
---@param accepted_length integer in characters
function M.did_accept(client, accepted_length)
  call(client, "notify", "mistralLsp/didAccept", { acceptedLength = accepted_length })
end

---@param client vim.lsp.Client
function M.did_show(client)
  call(client, "notify", "mistralLsp/didShow", vim.empty_dict())
end

--- Tells that the cursor of the current window rests, unless its server knows that place.
---@param client vim.lsp.Client
---@param buffer integer
function M.did_move_cursor(client, buffer)
  local params, is_new = look_at_cursor(client, buffer)
  if is_new then
    call(client, "notify", "mistralLsp/didMoveCursor", params)
  end
end

--- Tells that what was shown at the cursor was dismissed.
---@param client vim.lsp.Client
function M.did_reject(client)
  call(client, "notify", "mistralLsp/didReject", cursor_params(client))
end

--- Changes one of the server's own settings until Neovim ends, for all servers at once.
---@param name string
---@param value any
function M.set(name, value)
  config.options.settings[name] = value
  server.clients():each(function(client)
    client.settings = { mistralLsp = config.options.settings }
    call(client, "notify", "workspace/didChangeConfiguration", { settings = client.settings })
  end)
end

--- Switches completions off, or on again, by the server's own setting.
---@return boolean enabled
function M.toggle()
  local status = server.status(vim.api.nvim_get_current_buf())
  local enabled = status ~= nil and status.state == "off"
  M.set("enabled", enabled)
  return enabled
end

--- The server of the current buffer, or nil after a warning.
---@return vim.lsp.Client|nil
local function client_here()
  local client = server.of_buffer(vim.api.nvim_get_current_buf())
  if not client then
    local reason = server.why_halted() or "no server is running for this buffer"
    message.warn(reason .. ": try `:MistralLsp restart`")
  end
  return client
end

--- Runs a command of the server and gives its result to `on_result`.
---@param client vim.lsp.Client|nil
---@param command string
---@param arguments table[]|nil
---@param on_result fun(result: any)
local function execute(client, command, arguments, on_result)
  if not client then
    return
  end
  local params = { command = command, arguments = arguments }
  call(client, "request", "workspace/executeCommand", params, function(err, result)
    if err then
      message.warn(err.message)
    else
      on_result(result)
    end
  end)
end

---@param on_result fun(report: table)
function M.ask_status(on_result)
  execute(client_here(), "mistralLsp.status", nil, on_result)
end

--- Asks which models can be chosen. All servers offer the same.
---@param on_result fun(offer: table)
function M.ask_models(on_result)
  execute(server.clients():next() or client_here(), "mistralLsp.models", nil, on_result)
end

--- Asks what the model is told at the cursor. A command typed behind insert mode finds the cursor a
--- character further left than where the user was typing.
---@param on_result fun(explanation: table)
function M.explain(on_result)
  local client = client_here()
  if client then
    local row, column = unpack(vim.api.nvim_win_get_cursor(0))
    local left = vim.api.nvim_buf_get_mark(0, "^")
    local has_just_left = left[1] == row and left[2] == column + 1
    local place = place_params(client, row, has_just_left and left[2] or column)
    execute(client, "mistralLsp.explain", { place }, on_result)
  end
end

return M
