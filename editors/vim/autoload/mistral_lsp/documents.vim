vim9script
# Keeps the server's documents as Vim's buffers are. A document ends with a line end.

import autoload './server.vim'

# What the server has of each buffer: its version, its language and how many lines.
var known: dict<dict<any>> = {}

def Lines(buffer: number, first: number, last: number): string
  return getbufline(buffer, first, last)->map((_, line) => line .. "\n")->join('')
enddef

def LineCount(buffer: number): number
  return getbufinfo(buffer)[0].linecount
enddef

def Name(buffer: number): dict<any>
  return server.Place(buffer, 1, 0).textDocument
enddef

def IsWanted(buffer: number): bool
  const wanted: list<string> = get(g:, 'mistral_lsp_filetypes', [])
  const filetype = getbufvar(buffer, '&filetype')
  return bufname(buffer) != '' && getbufvar(buffer, '&buftype') == '' && bufloaded(buffer)
    && (empty(wanted) || index(wanted, filetype) >= 0)
enddef

export def IsOpen(buffer: number): bool
  return has_key(known, buffer)
enddef

# The server learns a language only when a document is opened: another one means opening anew.
export def Open(buffer: number)
  const language = getbufvar(buffer, '&filetype')
  if !IsWanted(buffer) || (IsOpen(buffer) && known[buffer].language == language)
    return
  endif
  Close(buffer)
  server.Start()
  if server.IsRunning()
    known[buffer] = {version: 0, language: language, lines: 0, listener: 0}
    server.WhenReady(() => SendOpen(buffer))
  endif
enddef

def SendOpen(buffer: number)
  if !IsOpen(buffer) || !bufloaded(buffer)
    return
  endif
  final item = {languageId: known[buffer].language, version: 0, text: Lines(buffer, 1, LineCount(buffer))}
  server.Notify('textDocument/didOpen', {textDocument: extend(item, Name(buffer))})
  known[buffer].lines = LineCount(buffer)
  known[buffer].listener = listener_add(OnChange, buffer)
enddef

# After a restart.
export def OpenAll()
  for buffer in keys(known)
    listener_remove(known[buffer].listener)
  endfor
  known = {}
  for info in getbufinfo({bufloaded: true})
    Open(info.bufnr)
  endfor
enddef

# Several changes at once tell line numbers of texts that are gone: then the whole text goes.
def OnChange(buffer: number, first: number, end: number, added: number, changes: list<dict<any>>)
  final document = known[buffer]
  document.version += 1
  document.lines += added
  var change: dict<any> = {text: Lines(buffer, 1, LineCount(buffer))}
  if len(changes) == 1 && document.lines == LineCount(buffer)
    change = {
      range: {start: {line: first - 1, character: 0}, end: {line: end - 1, character: 0}},
      text: Lines(buffer, first, end - 1 + added),
    }
  endif
  document.lines = LineCount(buffer)
  server.Notify('textDocument/didChange', {
    textDocument: extend({version: document.version}, Name(buffer)),
    contentChanges: [change],
  })
enddef

export def Save(buffer: number)
  if IsOpen(buffer)
    server.Notify('textDocument/didSave', {textDocument: Name(buffer)})
  endif
enddef

export def Close(buffer: number)
  if IsOpen(buffer)
    listener_remove(known[buffer].listener)
    remove(known, buffer)
    server.Notify('textDocument/didClose', {textDocument: Name(buffer)})
  endif
enddef
