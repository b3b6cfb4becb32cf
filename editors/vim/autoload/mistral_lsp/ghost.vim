vim9script
# Draws an answer as ghost text: the first line at the cursor, the others below it.

const KIND = 'mistral_lsp_ghost'

def Property(buffer: number): dict<any>
  if empty(prop_type_get(KIND, {bufnr: buffer}))
    prop_type_add(KIND, {bufnr: buffer, highlight: 'MistralLspGhost'})
  endif
  return {type: KIND, bufnr: buffer}
enddef

# Virtual text shows a tab as one sign.
def Shown(line: string): string
  return substitute(line, '\t', repeat(' ', shiftwidth()), 'g')
enddef

# Vim 9.0 forgets to move the lines below such lines, unless it draws the whole window.
def MoveLinesBelow()
  &l:list = &l:list
enddef

export def Clear(buffer: number)
  if bufloaded(buffer)
    prop_remove(extend(Property(buffer), {all: true}))
    MoveLinesBelow()
  endif
enddef

# `column` is in bytes, from 0.
export def Draw(buffer: number, row: number, column: number, text: string)
  Clear(buffer)
  const lines = split(text, "\n", true)
  if lines[0] != ''
    prop_add(row, column + 1, extend(Property(buffer), {text: Shown(lines[0])}))
  endif
  for line in lines[1 :]
    const below = {text: line == '' ? ' ' : Shown(line), text_align: 'below'}
    prop_add(row, 0, extend(Property(buffer), below))
  endfor
enddef
