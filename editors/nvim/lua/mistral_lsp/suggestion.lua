--- The one suggestion there can be: when to ask for it, how typing changes it, how it is accepted.
---
--- An answer belongs to the place where it was asked for. What was typed since then is compared
--- with it: as long as both agree, the rest of the answer is shown. So a late answer can never be
--- drawn at a wrong place, and typing what is shown neither flickers nor, once the answer is whole,
--- asks again.
local client = require("mistral_lsp.client")
local config = require("mistral_lsp.config")
local edit = require("mistral_lsp.edit")
local ghost = require("mistral_lsp.ghost")
local popup = require("mistral_lsp.popup")
local server = require("mistral_lsp.server")

local M = {}

---@class mistral_lsp.Offer
---@field client vim.lsp.Client
---@field buffer integer
---@field row integer where the answer was asked for
---@field before string the text of that line left of the cursor
---@field after string and right of it
---@field line_count integer
---@field request mistral_lsp.Request
---@field answer mistral_lsp.Answer|nil nil as long as nothing has arrived
---@field step integer how many answers further than the likeliest the user wants to see
---@field answers mistral_lsp.Answer[] what there is to choose from, where the user wanted to
---@field was_shown boolean

---@type mistral_lsp.Offer|nil
local offer = nil
local timer = assert(vim.uv.new_timer())
--- Whether the timer is to ask: it may have run out, and what it does come after another event.
local due = false
--- The place and the text for which `changed` last did its work.
local seen = nil

local function cursor()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  return row - 1, column
end

local function here()
  return { vim.api.nvim_get_current_buf(), vim.b.changedtick, cursor() }
end

local function line_at(row)
  return vim.api.nvim_buf_get_lines(0, row, row + 1, false)[1] or ""
end

--- What was typed between the place of the offer and the cursor; nil where anything else changed.
---@return string|nil typed
---@return integer|nil consumed how many of the replaced bytes were typed over
local function typed_since(row, column)
  local added = row - offer.row
  local same_place = vim.api.nvim_get_current_buf() == offer.buffer
    and added >= 0
    and vim.api.nvim_buf_line_count(0) == offer.line_count + added
    and vim.startswith(line_at(offer.row), offer.before)
    and not (added == 0 and column < #offer.before)
  if not same_place then
    return nil
  end
  local after = line_at(row):sub(column + 1)
  local consumed = #offer.after - #after
  if consumed < 0 or offer.after:sub(consumed + 1) ~= after then
    return nil
  end
  local typed = vim.api.nvim_buf_get_text(0, offer.row, #offer.before, row, column, {})
  return table.concat(typed, "\n"), consumed
end

--- The part of the answer that is still to be written at the cursor.
---@return mistral_lsp.Answer|nil rest nil where the text no longer agrees with the answer
local function rest_at(row, column)
  local answer = offer.answer
  local typed, consumed = typed_since(row, column)
  if not typed or consumed > #answer.replaced or not vim.startswith(answer.text, typed) then
    return nil
  end
  return { text = answer.text:sub(#typed + 1), replaced = answer.replaced:sub(consumed + 1) }
end

local function writes_nothing(answer)
  return answer.text == answer.replaced
end

--- Whether an answer adds nothing to the one that is there: what is shown only grows.
local function is_beginning(answer, present)
  return present ~= nil and vim.startswith(present.text, answer.text)
end

local function is_inserting()
  return vim.startswith(vim.api.nvim_get_mode().mode, "i") and not popup.is_open()
end

local function drop()
  if offer then
    ghost.clear(offer.buffer)
    offer.request.cancel()
    offer = nil
  end
end

local function stay_silent()
  due = false
  timer:stop()
end

--- Forgets the suggestion, and the wish for one.
function M.clear()
  stay_silent()
  drop()
end

--- Shows what is left of the answer, or drops it where the text has gone another way.
---@return mistral_lsp.Answer|nil rest
local function show()
  local row, column = cursor()
  local rest = rest_at(row, column)
  if not rest then
    drop()
    return nil
  end
  if writes_nothing(rest) then
    ghost.clear(offer.buffer)
    return rest
  end
  ghost.draw(offer.buffer, row, column, rest)
  if not offer.was_shown then
    offer.was_shown = true
    client.did_show(offer.client)
  end
  return rest
end

local function ask_soon()
  if config.options.auto_trigger then
    due = true
    local ask_if_due = vim.schedule_wrap(function()
      if due then
        M.ask()
      end
    end)
    timer:start(config.options.debounce_ms, 0, ask_if_due)
  end
end

--- Takes a partial result or the final one; each stands for all that came before it.
local function take(asked, items, is_final)
  if asked ~= offer or (asked.step ~= 0 and not is_final) then
    return
  end
  local row, column = cursor()
  local has_moved = row ~= asked.row or column ~= #asked.before
  local line = asked.before .. asked.after
  local encoding = asked.client.offset_encoding
  local answers = vim.tbl_map(function(item)
    return edit.from_item(item, line, #asked.before, encoding)
  end, items)
  local answer = answers[asked.step % math.max(#answers, 1) + 1]
  if not is_final and (not answer or is_beginning(answer, asked.answer)) then
    return
  end
  local rest = nil
  if answer then
    asked.answer = answer
    asked.answers = asked.step ~= 0 and answers or {}
    rest = show()
  elseif not has_moved then
    drop()
  end
  -- A server may give up an answer because of what was typed, or have no more than that to offer.
  if has_moved and (not rest or (is_final and writes_nothing(rest))) then
    ask_soon()
  end
end

--- An offer at the cursor, which shows what an older one left until it has an answer of its own.
---@return mistral_lsp.Offer
local function new_offer(connection, buffer, older, kept, step)
  local row, column = cursor()
  local line = line_at(row)
  return {
    client = connection,
    buffer = buffer,
    row = row,
    before = line:sub(1, column),
    after = line:sub(column + 1),
    line_count = vim.api.nvim_buf_line_count(buffer),
    answer = kept,
    step = step,
    answers = {},
    was_shown = older ~= nil and older.was_shown,
  }
end

--- Asks for a completion at the cursor. What still agrees stays on the screen until an answer
--- comes, and the older request is cancelled only after the new one, so that the server can go on
--- with work that serves both.
---@param is_invoked boolean|nil whether the user asked
---@param step integer|nil how many answers further than the likeliest
---@return boolean asked false where there is nobody to ask
function M.ask(is_invoked, step)
  stay_silent()
  local buffer = vim.api.nvim_get_current_buf()
  local connection = server.of_buffer(buffer)
  if not (connection and connection.initialized and is_inserting()) then
    drop()
    return false
  end
  -- An event that tells of this place only now must not ask again: the wish would be forgotten.
  seen = here()
  local kept = offer and offer.answer and show()
  local older = offer
  local asked = new_offer(connection, buffer, older, kept, step or 0)
  offer = asked
  asked.request = client.complete(connection, buffer, is_invoked == true, function(items, is_final)
    take(asked, items, is_final)
  end)
  if older then
    older.request.cancel()
  end
  return true
end

--- Asks now, because the user wants it, also where nothing is offered by itself.
---@return boolean asked
function M.trigger()
  return M.ask(true)
end

--- Whether the server is about to be asked.
---@return boolean
function M.is_due()
  return due
end

--- Follows the text and the cursor. One key can bring several events, so each state counts once.
function M.changed()
  if not is_inserting() then
    M.clear()
    seen = nil
    return
  end
  if vim.deep_equal(here(), seen) then
    return
  end
  seen = here()
  local rest = offer and offer.answer and show()
  if rest and not writes_nothing(rest) and not offer.request.is_running() then
    stay_silent()
  else
    ask_soon()
  end
end

--- Looks at the same place again, because something else than the text has changed: a menu that
--- opens has the place to itself, and a server that has become ready may be asked.
function M.look_again()
  seen = nil
  M.changed()
end

---@return boolean
function M.is_shown()
  if not (offer and offer.answer) or not is_inserting() then
    return false
  end
  local rest = rest_at(cursor())
  return rest ~= nil and not writes_nothing(rest)
end

--- Shows another answer than the one that is there. The server is asked for more at the first time.
---@param step 1|-1
function M.cycle(step)
  local row, column = cursor()
  local is_same_place = row == offer.row and column == #offer.before
  if #offer.answers == 0 or not is_same_place then
    M.ask(true, step)
    return
  end
  offer.step = offer.step + step
  offer.answer = offer.answers[offer.step % #offer.answers + 1]
  show()
end

--- Takes away what is shown, and lets the server know that it was not wanted here.
function M.reject()
  if M.is_shown() then
    client.did_reject(offer.client)
    M.clear()
  end
end

--- Writes the part of the answer that `take_part` chooses; what is left stays as ghost text.
---@param take_part fun(text: string): string
function M.accept(take_part)
  if not M.is_shown() then
    return
  end
  local row, column = cursor()
  local rest = assert(rest_at(row, column))
  local part = take_part(rest.text)
  local lines = vim.split(part, "\n", { plain = true })
  local covered = edit.covered(rest, #part)
  vim.api.nvim_buf_set_text(0, row, column, row, column + covered, lines)
  local end_column = #lines[#lines] + (#lines == 1 and column or 0)
  vim.api.nvim_win_set_cursor(0, { row + #lines, end_column })
  client.did_accept(offer.client, vim.fn.strchars(part))
  M.changed()
end

return M
