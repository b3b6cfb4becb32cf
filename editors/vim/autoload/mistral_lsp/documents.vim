vim9script
# Keeps the server's documents as Vim's buffers are. A document ends with a line end.

import autoload './server.vim'

# What the server has of each buffer: its address, version and language, and how many lines.
var known: dict<dict<any>> = {}

def Lines(buffer: number, first: number, last: number): string
  return getbufline(buffer, first, last)->map((_, line) => line .. "\n")->join('')
enddef

def LineCount(buffer: number): number
  return getbufinfo(buffer)[0].linecount
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

# A place as the protocol names it, in a buffer that is open.
export def Place(buffer: number, row: number, column: number): dict<any>
  return {
    textDocument: {uri: known[buffer].uri},
    position: {line: row - 1, character: column},
  }
enddef

# The server learns a language and an address only when a document is opened: others mean opening anew.
export def Open(buffer: number)
  if !IsWanted(buffer)
    Close(buffer)
    return
  endif
  # The whole path, which holds in every working directory.
  const uri = server.Uri(getbufinfo(buffer)[0].name)
  const language = getbufvar(buffer, '&filetype')
  if IsOpen(buffer) && known[buffer].uri == uri && known[buffer].language == language
    return
  endif
  Close(buffer)
  server.Start()
  if server.IsRunning()
    final document = {uri: uri, version: 0, language: language, lines: 0, listener: 0}
    known[buffer] = document
    server.WhenReady(() => SendOpen(buffer, document))
  endif
enddef

# By now it may have been closed, or opened anew.
def SendOpen(buffer: number, document: dict<any>)
  if get(known, buffer, {}) isnot document || !bufloaded(buffer)
    return
  endif
  document.lines = LineCount(buffer)
  document.listener = listener_add(OnChange, buffer)
  server.Notify('textDocument/didOpen', {textDocument: {
    uri: document.uri,
    languageId: document.language,
    version: 0,
    text: Lines(buffer, 1, document.lines),
  }})
enddef

# After a restart.
export def OpenAll()
  for document in values(known)
    listener_remove(document.listener)
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
    textDocument: {uri: document.uri, version: document.version},
    contentChanges: [change],
  })
enddef

export def Save(buffer: number)
  if IsOpen(buffer)
    server.Notify('textDocument/didSave', {textDocument: {uri: known[buffer].uri}})
  endif
enddef

export def Close(buffer: number)
  if IsOpen(buffer)
    const document = remove(known, buffer)
    listener_remove(document.listener)
    server.Notify('textDocument/didClose', {textDocument: {uri: document.uri}})
  endif
enddef
