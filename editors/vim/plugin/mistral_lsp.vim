vim9script
# Ghost text from the mistral-lsp server: events, keys and the command.

if exists('g:loaded_mistral_lsp') || !has('job') || !has('channel') || !has('patch-9.0.0067')
  finish
endif
g:loaded_mistral_lsp = true

import autoload 'mistral_lsp/documents.vim'
import autoload 'mistral_lsp/server.vim'
import autoload 'mistral_lsp/suggestion.vim'

augroup mistral_lsp
  autocmd!
  autocmd BufReadPost,BufNewFile,BufFilePost,BufEnter,FileType * documents.Open(str2nr(expand('<abuf>')))
  autocmd BufWritePost * documents.Save(str2nr(expand('<abuf>')))
  autocmd BufUnload * documents.Close(str2nr(expand('<abuf>')))
  autocmd TextChangedI,TextChangedP,CursorMovedI * suggestion.Changed()
  autocmd InsertLeave,BufLeave * suggestion.Clear()
  autocmd VimLeavePre * server.Stop()
augroup END

# Each key means what it always meant where nothing is shown.
inoremap <expr> <Plug>(mistral-lsp-accept) suggestion.Keys('All', "\<Tab>")
inoremap <expr> <Plug>(mistral-lsp-accept-word) suggestion.Keys('Word', "\<C-Right>")
inoremap <expr> <Plug>(mistral-lsp-accept-line) suggestion.Keys('Line', "\<C-l>")
inoremap <Plug>(mistral-lsp-dismiss) <Cmd>call <SID>Dismiss()<CR>
inoremap <Plug>(mistral-lsp-trigger) <Cmd>call <SID>Trigger()<CR>

def Dismiss()
  suggestion.Dismiss()
enddef

def Trigger()
  suggestion.Trigger()
enddef

# A key that is mapped already stays as it is.
for [key, action] in items({
    '<Tab>': 'accept',
    '<C-Right>': 'accept-word',
    '<C-l>': 'accept-line',
    '<C-]>': 'dismiss',
    '<M-Bslash>': 'trigger',
    })
  const plug = $'<Plug>(mistral-lsp-{action})'
  if empty(maparg(key, 'i')) && !hasmapto(plug, 'i')
    execute $'imap {key} {plug}'
  endif
endfor

def Names(typed: string, ..._): list<string>
  return ['restart', 'status', 'toggle']->filter((_, name) => name->stridx(typed) == 0)
enddef

def Run(action: string)
  if action == 'status'
    server.ShowStatus()
  elseif action == 'toggle'
    suggestion.Toggle()
  elseif action == 'restart'
    server.Stop()
    documents.OpenAll()
  else
    echoerr $'mistral-lsp: there is no action {action}'
  endif
enddef

command -nargs=1 -complete=customlist,Names MistralLsp Run(<q-args>)

hlset([{name: 'MistralLspGhost', default: true, linksto: hlexists('Comment') ? 'Comment' : 'NonText'}])
