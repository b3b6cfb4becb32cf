--- Starts the server, keeps it attached to buffers, and brings it back when it dies.
local config = require("mistral_lsp.config")
local message = require("mistral_lsp.message")

local M = {}

M.NAME = "mistral-lsp"

--- A server that dies is started again after a moment; one that goes on dying is left alone.
local RECOVER_MS = 300
local MOST_DEATHS = 3
local WITHIN_SECONDS = 600

---@class mistral_lsp.Status
---@field state "starting"|"loading"|"ready"|"failed"|"off"|"stopped"
---@field message string
---@field engine string|nil
---@field model string|nil

---@type table<integer, mistral_lsp.Status> what each server last said of itself, by client id
local statuses = {}
---@type table<vim.lsp.rpc.PublicClient, true> connections whose server was asked to go
local dismissed = setmetatable({}, { __mode = "k" })
---@type (fun(code: integer, signal: integer))[] what tells Neovim of servers that died
local untold_ends = {}
---@type integer[] when servers died, in seconds
local deaths = {}
---@type string|nil why no server is started for now
local halted = nil

--- Neovim 0.10 binds a client's methods to it; later versions pass it as the first argument.
function M.call(client, method, ...)
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
  if status.state == "ready" then
    vim.api.nvim_exec_autocmds("User", { pattern = "MistralLspReady", modeline = false })
  end
  vim.cmd.redrawstatus({ bang = true })
end

--- Other modules add theirs.
---@type table<string, lsp.Handler>
M.handlers = {
  ["mistralLsp/status"] = on_status,
  ["window/showMessage"] = function(_, params)
    message.warn((params.message:gsub("^mistral%-lsp: ", "")))
  end,
}

local function may_recover()
  local now = vim.uv.now() / 1000
  deaths = vim.tbl_filter(function(time)
    return now - time < WITHIN_SECONDS
  end, deaths)
  table.insert(deaths, now)
  return #deaths < MOST_DEATHS
end

local function on_death(code, signal)
  local cause = signal == 0 and "exit code " .. code or "signal " .. signal
  halted = ("server died (%s)"):format(cause)
  if may_recover() then
    message.warn(halted .. " and is started again")
    vim.defer_fn(M.restart, RECOVER_MS)
  else
    message.warn(halted .. ": use `:MistralLsp restart`")
  end
end

--- Keeps the end of a server that died from Neovim until the next one is there. Neovim stops
--- following a buffer that is edited while it has no client, and a later client of that buffer
--- would never hear of a change. Its own message about the end would only come in the way of ours.
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

--- Neovim 0.12 can show ghost text of its own; the same text twice is of no use.
local function keep_native_ghost_text_off(client)
  if vim.lsp.inline_completion then
    vim.lsp.inline_completion.enable(false, { client_id = client.id })
  end
end

local function client_config(buffer)
  local options = config.options
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  return {
    name = M.NAME,
    cmd = start_process,
    root_dir = vim.fs.root(buffer, { ".git", ".hg", "pyproject.toml", "package.json" }),
    capabilities = capabilities,
    init_options = as_object(options.settings),
    settings = { mistralLsp = as_object(options.settings) },
    handlers = M.handlers,
    on_init = keep_native_ghost_text_off,
    on_exit = function(_, _, client_id)
      statuses[client_id] = nil
    end,
  }
end

local function is_going(client)
  return dismissed[client.rpc] or M.call(client, "is_stopped")
end

local function can_reuse(client, wanted)
  local fits = client.name == M.NAME and client.config.root_dir == wanted.root_dir
  return fits and not is_going(client)
end

--- A buffer without a name has no address of its own, so the server could not tell two apart.
local function is_wanted(buffer)
  local filetypes = config.options.filetypes
  return vim.api.nvim_buf_is_loaded(buffer)
    and vim.bo[buffer].buftype == ""
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

---@param buffer integer
local function detach(buffer)
  local client = M.of_buffer(buffer)
  if client then
    vim.lsp.buf_detach_client(buffer, client.id)
  end
  return client ~= nil
end

--- The server learns a document's language only when it is opened: a new one means opening anew.
---@param buffer integer
function M.reattach(buffer)
  detach(buffer)
  M.attach(buffer)
end

--- So is a document's name: it is closed under the old one before that is gone, and opened when the
--- new one is there; or, where Neovim then takes no other name, as soon as that is over.
---@param buffer integer
function M.before_rename(buffer)
  if detach(buffer) then
    vim.schedule(function()
      if vim.api.nvim_buf_is_valid(buffer) then
        M.attach(buffer)
      end
    end)
  end
end

--- Our clients that are not about to go, also those that still wait for their server's first word.
function M.clients()
  local ours = vim.iter(vim.tbl_keys(statuses)):map(vim.lsp.get_client_by_id)
  return ours:filter(function(client)
    return not is_going(client)
  end)
end

---@param buffer integer
---@return vim.lsp.Client|nil
function M.of_buffer(buffer)
  return M.clients():find(function(client)
    return client.attached_buffers[buffer]
  end)
end

function M.attach_all()
  vim.iter(vim.api.nvim_list_bufs()):filter(vim.api.nvim_buf_is_loaded):each(M.attach)
end

function M.restart()
  M.clients():each(function(client)
    dismissed[client.rpc] = true
    M.call(client, "stop", true)
  end)
  halted = nil
  M.attach_all()
  for _, tell_neovim in ipairs(untold_ends) do
    tell_neovim(0, 0)
  end
  untold_ends = {}
end

--- Why no server is started for now, if that is so.
---@return string|nil
function M.why_halted()
  return halted
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
