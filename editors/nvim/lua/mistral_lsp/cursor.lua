--- Tells the server where the cursor rests, so that it can read that place before the first key.
local client = require("mistral_lsp.client")
local server = require("mistral_lsp.server")
local suggestion = require("mistral_lsp.suggestion")

local M = {}

local REST_MS = 100
local timer = assert(vim.uv.new_timer())

--- A request says as much, so where one is due nothing is left to tell.
local function tell()
  local buffer = vim.api.nvim_get_current_buf()
  local connection = server.of_buffer(buffer)
  if connection and connection.initialized and not suggestion.is_due() then
    client.did_move_cursor(connection, buffer)
  end
end

--- Waits anew: only a place where the cursor stays is told.
function M.moved()
  timer:start(REST_MS, 0, vim.schedule_wrap(tell))
end

return M
