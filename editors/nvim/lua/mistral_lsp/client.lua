--- Starts the server, keeps it attached to buffers, and speaks its protocol.
local config = require("mistral_lsp.config")
local edit = require("mistral_lsp.edit")
local message = require("mistral_lsp.message")

local M = {}

local NAME = "mistral-lsp"
local COMPLETE = "textDocument/inlineCompletion"
local AUTOMATIC = 2

---@class mistral_lsp.Status
---@field state "starting"|"loading"|"ready"|"failed"|"off"|"stopped"
---@field message string
---@field engine string|nil
---@field model string|nil

---@type table<integer, mistral_lsp.Status> what each of our servers last said of itself, by client id
local statuses = {}
---@type table<string, fun(items: table[])> who waits for partial results, by token
local listeners = {}
---@type table<vim.lsp.rpc.PublicClient, true> connections whose server was asked to go
local dismissed = setmetatable({}, { __mode = "k" })
---@type (fun(code: integer, signal: integer))[] what tells Neovim of servers that died
local untold_ends = {}
---@type string|nil why no server is started before the user asks for one
local halted = nil
local last_token = 0
--- The place that a server heard of last, in a request or in a notification.
local known_place = nil

--- Neovim 0.10 binds a client's methods to it; later versions pass it as the first argument.
local function call(client, method, ...)
  if vim.fn.has("nvim-0.11") == 1 then
    return client[method](client, ...)
  end
  return client[method](...)
end

--- An empty Lua table would reach the server as a list.
local function as_object(settings)
  return next(settings) and settings or vim.empty_dict()
end

local function on_status(_, status, context)
  local before = statuses[context.client_id]
  statuses[context.client_id] = status
  if status.state == "failed" and not (before and before.state == "failed") then
    message.warn(status.message)
  end
  vim.cmd.redrawstatus({ bang = true })
end

local function on_progress(err, params, context, ...)
  local listener = listeners[params.token]
  if listener then
    listener(params.value.items)
  else
    vim.lsp.handlers["$/progress"](err, params, context, ...)
  end
end

local function on_death(code, signal)
  local cause = signal == 0 and "exit code " .. code or "signal " .. signal
  halted = ("server died (%s)"):format(cause)
  message.warn(halted .. ": use `:MistralLsp restart`")
end

--- Keeps the end of a server that died from Neovim until the next one is there. Neovim stops
--- following a buffer that is edited while it has no client, and a later client of that buffer would
--- never hear of a change. Its own message about the end would only come in the way of ours.
local function start_process(dispatchers)
  local tell_neovim = dispatchers.on_exit
  local connection
  dispatchers.on_exit = function(code, signal)
    local was_asked = dismissed[connection] or (code == 0 and (signal == 0 or signal == 15))
    if was_asked or vim.v.exiting ~= vim.NIL then
      tell_neovim(0, 0)
    else
      table.insert(untold_ends, tell_neovim)
      on_death(code, signal)
    end
  end
  connection = vim.lsp.rpc.start(config.options.cmd, dispatchers)
  return connection
end

local function client_config(buffer)
  local options = config.options
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  return {
    name = NAME,
    cmd = start_process,
    root_dir = vim.fs.root(buffer, { ".git", ".hg", "pyproject.toml", "package.json" }),
    capabilities = capabilities,
    init_options = as_object(options.settings),
    settings = { mistralLsp = as_object(options.settings) },
    handlers = { ["mistralLsp/status"] = on_status, ["$/progress"] = on_progress },
    on_exit = function(_, _, client_id)
      statuses[client_id] = nil
    end,
  }
end

local function is_going(client)
  return dismissed[client.rpc] or call(client, "is_stopped")
end

local function can_reuse(client, wanted)
  return client.name == NAME
    and client.config.root_dir == wanted.root_dir
    and not is_going(client)
end

--- A buffer without a name has no address of its own, so the server could not tell two apart.
local function is_wanted(buffer)
  local filetypes = config.options.filetypes
  return vim.bo[buffer].buftype == ""
    and vim.api.nvim_buf_get_name(buffer) ~= ""
    and (not filetypes or vim.list_contains(filetypes, vim.bo[buffer].filetype))
end

---@param buffer integer
function M.attach(buffer)
  if halted or not is_wanted(buffer) then
    return
  end
  local command = config.options.cmd[1]
  if vim.fn.executable(command) == 0 then
    halted = ("cannot run `%s`"):format(command)
    message.warn(halted .. ": install it or set `cmd`")
    return
  end
  local id = vim.lsp.start(client_config(buffer), { bufnr = buffer, reuse_client = can_reuse })
  if id then
    statuses[id] = statuses[id] or { state = "starting", message = "" }
  end
end

--- The server learns a document's language only when it is opened, so a new one means opening anew.
---@param buffer integer
function M.reattach(buffer)
  local client = M.of_buffer(buffer)
  if client then
    vim.lsp.buf_detach_client(buffer, client.id)
  end
  M.attach(buffer)
end

--- A document that is opened begins anew, and so does what its server knows of it.
function M.opened()
  known_place = nil
end

--- Our clients that are not about to go, also those that still wait for their server's first word.
local function clients()
  local ours = vim.iter(vim.tbl_keys(statuses)):map(vim.lsp.get_client_by_id)
  return ours:filter(function(client)
    return not is_going(client)
  end)
end

---@param buffer integer
---@return vim.lsp.Client|nil
function M.of_buffer(buffer)
  return clients():find(function(client)
    return client.attached_buffers[buffer]
  end)
end

function M.attach_all()
  vim.iter(vim.api.nvim_list_bufs()):filter(vim.api.nvim_buf_is_loaded):each(M.attach)
end

function M.restart()
  clients():each(function(client)
    dismissed[client.rpc] = true
    call(client, "stop", true)
  end)
  halted = nil
  M.attach_all()
  for _, tell_neovim in ipairs(untold_ends) do
    tell_neovim(0, 0)
  end
  untold_ends = {}
end

--- The cursor of the current window, as the protocol names a place. What Neovim 0.10 has for this goes
--- wrong left of the end of a line with characters of several bytes.
local function cursor_params(client)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local line = vim.api.nvim_get_current_line()
  local character = edit.character_of(line, column, client.offset_encoding)
  return {
    textDocument = vim.lsp.util.make_text_document_params(0),
    position = { line = row - 1, character = character },
  }
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
---@param on_items fun(items: table[], is_final: boolean) called for each partial result as well
---@return mistral_lsp.Request
function M.complete(client, buffer, on_items)
  last_token = last_token + 1
  local token = NAME .. "/" .. last_token
  local params = look_at_cursor(client, buffer)
  params.context = { triggerKind = AUTOMATIC }
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

--- Switches completions off, or on again, by the server's own setting.
---@return boolean enabled
function M.toggle()
  local status = M.status(vim.api.nvim_get_current_buf())
  local settings = config.options.settings
  settings.enabled = status ~= nil and status.state == "off"
  clients():each(function(client)
    client.settings = { mistralLsp = settings }
    call(client, "notify", "workspace/didChangeConfiguration", { settings = client.settings })
  end)
  return settings.enabled
end

--- Runs a command of the server for the current buffer and gives its result to `on_result`.
---@param command string
---@param on_result fun(result: any)
function M.execute(command, on_result)
  local client = M.of_buffer(vim.api.nvim_get_current_buf())
  if not client then
    message.warn((halted or "no server is running for this buffer") .. ": try `:MistralLsp restart`")
    return
  end
  call(client, "request", "workspace/executeCommand", { command = command }, function(err, result)
    if err then
      message.warn(err.message)
    else
      on_result(result)
    end
  end)
end

--- How the server of a buffer is, or nil where none is meant to be.
---@param buffer integer
---@return mistral_lsp.Status|nil
function M.status(buffer)
  local client = M.of_buffer(buffer)
  if client then
    return statuses[client.id]
  elseif halted and is_wanted(buffer) then
    return { state = "stopped", message = halted }
  end
end

return M
