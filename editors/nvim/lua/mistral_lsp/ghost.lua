--- Draws an answer as ghost text.
local edit = require("mistral_lsp.edit")

local M = {}

local namespace = vim.api.nvim_create_namespace("mistral_lsp")

--- Called again for each colour scheme, because a new one forgets what others defined.
function M.define_highlights()
  vim.api.nvim_set_hl(0, "MistralLspGhost", { default = true, link = "Comment" })
  vim.api.nvim_set_hl(0, "MistralLspGone", { default = true, strikethrough = true })
end

local function chunk(text)
  return { text, "MistralLspGhost" }
end

---@param buffer integer
function M.clear(buffer)
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
end

---@param buffer integer
---@param row integer
---@param column integer
---@param answer mistral_lsp.Answer
function M.draw(buffer, row, column, answer)
  M.clear(buffer)
  local drawing = edit.drawing_of(answer)
  local function mark(offset, details)
    vim.api.nvim_buf_set_extmark(buffer, namespace, row, column + offset, details)
  end
  for _, piece in ipairs(drawing.pieces) do
    if piece.text ~= "" then
      mark(piece.column, { virt_text = { chunk(piece.text) }, virt_text_pos = "inline" })
    end
  end
  for _, gone in ipairs(drawing.gone) do
    mark(gone.from, { end_col = column + gone.to, hl_group = "MistralLspGone" })
  end
  if #drawing.below > 0 then
    local lines = vim.tbl_map(function(line)
      return { chunk(line) }
    end, drawing.below)
    mark(0, { virt_lines = lines })
  end
end

return M
