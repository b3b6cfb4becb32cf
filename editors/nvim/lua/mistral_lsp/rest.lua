--- Tells the server where the cursor rests, so that it reads the text around before the first key.
local client = require("mistral_lsp.client")

local M = {}

--- Longer than Neovim keeps changes back (150 ms), so that the server has the text of the place.
local REST_MS = 200

local timer = assert(vim.uv.new_timer())
--- The place and the text that the server was told of last.
local told = nil

local function tell()
  local buffer = vim.api.nvim_get_current_buf()
  local connection = client.of_buffer(buffer)
  if not (connection and connection.initialized) then
    return
  end
  local here = { buffer, vim.b.changedtick, vim.api.nvim_win_get_cursor(0) }
  if not vim.deep_equal(here, told) then
    told = here
    client.did_move_cursor(connection)
  end
end

--- Starts the wait anew.
function M.moved()
  timer:start(REST_MS, 0, vim.schedule_wrap(tell))
end

return M
