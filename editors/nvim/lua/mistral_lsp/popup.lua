--- Whether a completion menu is open: it has the keys then, and the room below the cursor.
---
--- Neovim tells of its own menu by events. Those of nvim-cmp and blink.cmp are floating windows, so
--- these two are asked; neither needs to be there.
local M = {}

local function is_cmp_open()
  local cmp = package.loaded["cmp"]
  return cmp ~= nil and cmp.visible()
end

local function is_blink_open()
  local blink = package.loaded["blink.cmp"]
  return blink ~= nil and blink.is_menu_visible()
end

---@return boolean
function M.is_open()
  return vim.fn.pumvisible() == 1 or is_cmp_open() or is_blink_open()
end

local is_cmp_followed = false

local function follow_cmp(on_change)
  local cmp = package.loaded["cmp"]
  if cmp and not is_cmp_followed then
    is_cmp_followed = true
    cmp.event:on("menu_opened", on_change)
    cmp.event:on("menu_closed", on_change)
  end
end

--- Calls `on_change` when a menu opens or closes. nvim-cmp may be loaded as late as with the first
--- insert mode.
---@param group integer
---@param on_change fun()
function M.follow(group, on_change)
  local later = vim.schedule_wrap(on_change)
  vim.api.nvim_create_autocmd("User", {
    group = group,
    pattern = { "BlinkCmpMenuOpen", "BlinkCmpMenuClose" },
    callback = later,
  })
  vim.api.nvim_create_autocmd({ "InsertEnter", "TextChangedI" }, {
    group = group,
    callback = function()
      follow_cmp(later)
    end,
  })
end

return M
