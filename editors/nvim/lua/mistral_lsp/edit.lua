--- What an answer means for the text around the cursor: words about strings, no editor state.
local M = {}

---@class mistral_lsp.Answer
---@field text string what is to be written at the cursor
---@field replaced string what it takes the place of, right of the cursor

---@param line string
---@param character integer in units of the encoding
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return integer byte
local function byte_of(line, character, encoding)
  if encoding == "utf-8" then
    return math.min(character, #line)
  elseif vim.fn.has("nvim-0.11") == 1 then
    return vim.str_byteindex(line, encoding, character, false)
  end
  return vim.str_byteindex(line, character, encoding == "utf-16")
end

---@param line string
---@param byte integer
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return integer character in units of the encoding
function M.character_of(line, byte, encoding)
  if encoding == "utf-8" then
    return byte
  elseif vim.fn.has("nvim-0.11") == 1 then
    return vim.str_utfindex(line, encoding, byte, false)
  end
  local in_utf_32, in_utf_16 = vim.str_utfindex(line, byte)
  return encoding == "utf-16" and in_utf_16 or in_utf_32
end

--- Reads an item of the protocol as an answer at the cursor.
---@param item table
---@param line string the cursor's line
---@param column integer the cursor's byte in it
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return mistral_lsp.Answer|nil answer nil where the text left of the cursor would have to change
function M.from_item(item, line, column, encoding)
  local text = item.insertText:gsub("\r\n?", "\n")
  local from = byte_of(line, item.range.start.character, encoding)
  local to = byte_of(line, item.range["end"].character, encoding)
  local typed = line:sub(from + 1, column)
  if from > column or to < column or not vim.startswith(text, typed) then
    return nil
  end
  return { text = text:sub(#typed + 1), replaced = line:sub(column + 1, to) }
end

local function first_line(text)
  return text:match("^[^\n]*")
end

--- The last place of `character` that ends at or before `limit`.
local function find_last(text, character, limit)
  for start = limit - #character + 1, 1, -1 do
    if text:sub(start, start + #character - 1) == character then
      return start
    end
  end
end

---@class mistral_lsp.Closer
---@field text string
---@field start integer|nil where the answer's first line writes it again; nil where it does not

--- Finds the replaced characters in the answer's first line, the last ones first, because an editor
--- puts its closers after all that goes between the brackets.
---@param answer mistral_lsp.Answer
---@return mistral_lsp.Closer[]
local function closers_of(answer)
  local line = first_line(answer.text)
  local characters = vim.fn.split(answer.replaced, "\\zs")
  local closers, limit = {}, #line
  for index = #characters, 1, -1 do
    local start = find_last(line, characters[index], limit)
    closers[index] = { text = characters[index], start = start }
    limit = start and start - 1 or limit
  end
  return closers
end

---@class mistral_lsp.Drawing
---@field pieces { column: integer, text: string }[] what stands new, by bytes right of the cursor
---@field gone { from: integer, to: integer }[] what goes, by bytes right of the cursor
---@field below string[] whole lines

--- Splits an answer around the characters on the screen that it only writes again.
---@param answer mistral_lsp.Answer
---@return mistral_lsp.Drawing
function M.drawing_of(answer)
  local line = first_line(answer.text)
  local drawing = { pieces = {}, gone = {}, below = {} }
  local drawn, column = 0, 0
  for _, closer in ipairs(closers_of(answer)) do
    if closer.start then
      local piece = line:sub(drawn + 1, closer.start - 1)
      table.insert(drawing.pieces, { column = column, text = piece })
      drawn = closer.start + #closer.text - 1
    else
      table.insert(drawing.gone, { from = column, to = column + #closer.text })
    end
    column = column + #closer.text
  end
  table.insert(drawing.pieces, { column = column, text = line:sub(drawn + 1) })
  if #answer.text > #line then
    drawing.below = vim.split(answer.text:sub(#line + 2), "\n", { plain = true })
  end
  return drawing
end

--- How many of the replaced bytes go when the first `length` bytes of the answer are written.
---@param answer mistral_lsp.Answer
---@param length integer
---@return integer
function M.covered(answer, length)
  if length == #answer.text then
    return #answer.replaced
  end
  local column, covered = 0, 0
  for _, closer in ipairs(closers_of(answer)) do
    column = column + #closer.text
    if closer.start and closer.start + #closer.text - 1 <= length then
      covered = column
    end
  end
  return covered
end

--- White space and the word or the run of signs after it; a byte of a longer character is no sign.
---@param text string
---@return string
function M.first_word(text)
  return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w_%s\128-\255]+") or text
end

--- The rest of the line; at a line's end, the next line.
---@param text string
---@return string
function M.first_line(text)
  return text:match("^\n*[^\n]*")
end

return M
