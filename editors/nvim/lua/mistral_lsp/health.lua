--- `:checkhealth mistral_lsp`
local config = require("mistral_lsp.config")
local server = require("mistral_lsp.server")

local M = {}

local function check_command()
  local command = config.options.cmd[1]
  local can_run = vim.fn.executable(command) == 1
  if can_run then
    vim.health.ok(("the server command is %s"):format(vim.fn.exepath(command)))
  else
    vim.health.error(("`%s` cannot be run"):format(command), {
      "Install the server, so that the command is on $PATH,",
      "or name its full path: require('mistral_lsp').setup({ cmd = { '/path/to/mistral-lsp' } })",
    })
  end
  return can_run
end

local function check_version()
  local found = vim.fn.system(vim.list_extend(vim.deepcopy(config.options.cmd), { "--version" }))
  if vim.v.shell_error == 0 then
    vim.health.ok(vim.trim(found))
  else
    vim.health.error("the server does not start", vim.split(vim.trim(found), "\n"))
  end
end

local function check_servers()
  local found = false
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    local status = server.status(buffer)
    if status then
      found = true
      local name = vim.fn.bufname(buffer)
      vim.health.info(("%s: %s %s"):format(name, status.state, status.message))
    end
  end
  if not found then
    vim.health.info("no buffer has a server yet: open a file to start one")
  end
  vim.health.info("what a server says on stderr: " .. require("vim.lsp.log").get_filename())
end

local function check_keys()
  for action, key in vim.spairs(config.options.keymaps) do
    if key then
      local mapping = vim.fn.maparg(key, "i", false, true)
      if mapping.desc == "mistral-lsp: " .. action then
        vim.health.ok(("%s is %s"):format(key, action))
      else
        vim.health.warn(("%s was mapped to something else after setup()"):format(key))
      end
    end
  end
end

--- The other sources of ghost text and menus that are known to get along, or not.
local function check_neighbours()
  if package.loaded["cmp"] or package.loaded["blink.cmp"] then
    vim.health.ok("ghost text steps aside while the completion menu is open")
  end
  if vim.lsp.inline_completion then
    vim.health.info("Neovim's own inline completion is switched off for this server")
  end
end

function M.check()
  vim.health.start("mistral-lsp")
  if vim.fn.has("nvim-0.10") == 0 then
    vim.health.error("Neovim 0.10 or later is needed")
    return
  end
  if check_command() then
    check_version()
  end
  check_servers()
  check_keys()
  check_neighbours()
end

return M
