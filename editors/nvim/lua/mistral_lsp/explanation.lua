--- Shows what the model is told at a place, part by part.
local M = {}

local function heading(explanation)
  if explanation.reason and explanation.reason ~= vim.NIL then
    return { "Nothing is offered here: " .. explanation.reason .. "." }
  end
  return {
    ("%s on %s, form %s"):format(explanation.model, explanation.engine, explanation.form),
    ("%d tokens in a window of %d"):format(explanation.tokens, explanation.working_window),
  }
end

local function lines_of(explanation)
  local lines = heading(explanation)
  for _, part in ipairs(explanation.parts) do
    table.insert(lines, "")
    table.insert(lines, ("── %s · %d tokens · %s"):format(part.label, part.tokens, part.why))
    if part.text ~= "" then
      vim.list_extend(lines, vim.split(part.text, "\n", { plain = true }))
    end
  end
  return lines
end

--- Opens a window that `q` closes.
---@param explanation table as `mistral-lsp explain --json` prints it
function M.show(explanation)
  vim.cmd("botright new")
  vim.bo.buftype = "nofile"
  vim.bo.bufhidden = "wipe"
  vim.bo.swapfile = false
  vim.api.nvim_buf_set_lines(0, 0, -1, false, lines_of(explanation))
  vim.bo.modifiable = false
  vim.fn.matchadd("Title", "^── .*")
  vim.keymap.set("n", "q", vim.cmd.close, { buffer = true })
end

return M
