vim9script
# The one suggestion there can be: when to ask for it, how typing changes it, how it is accepted.
#
# An answer belongs to the place where it was asked for. What was typed since then is compared with
# it: as long as both agree, the rest of the answer is shown. So a late answer can never be drawn at
# a wrong place, and typing what is shown asks nobody.

import autoload './documents.vim'
import autoload './ghost.vim'
import autoload './server.vim'

# buffer, row, before, after: the place; request; text, replaced: the answer, once there is one.
var offer: dict<any> = {}
var timer = 0
var is_on = true

def IsInserting(): bool
  return mode() == 'i' && !pumvisible()
enddef

# What is still to be written at the cursor, and what that replaces; empty where the text no longer
# agrees with the answer.
def Rest(): dict<any>
  if !has_key(offer, 'text') || bufnr() != offer.buffer || line('.') < offer.row
    return {}
  endif
  const after = strpart(getline('.'), col('.') - 1)
  const consumed = strlen(offer.after) - strlen(after)
  const written = getline(offer.row, '.')->join("\n")
  const head = strpart(written, 0, strlen(written) - strlen(after))
  const expected = offer.before .. offer.text
  if consumed < 0 || consumed > strlen(offer.replaced) || strpart(offer.after, consumed) != after
      || strlen(head) < strlen(offer.before) || stridx(expected, head) != 0
    return {}
  endif
  return {text: strpart(expected, strlen(head)), replaced: strpart(offer.replaced, consumed)}
enddef

def IsSomething(rest: dict<any>): bool
  return !empty(rest) && rest.text != rest.replaced
enddef

def Drop()
  if !empty(offer)
    ghost.Clear(offer.buffer)
    server.Cancel(offer.request)
    offer = {}
  endif
enddef

export def Clear()
  timer_stop(timer)
  Drop()
enddef

# A closer that the editor has put behind the cursor is not shown twice.
def Show(): dict<any>
  const rest = Rest()
  if empty(rest)
    Drop()
  elseif !IsSomething(rest)
    ghost.Clear(offer.buffer)
  else
    const length = strlen(rest.text) - strlen(rest.replaced)
    const ends_alike = rest.replaced != '' && strpart(rest.text, length) == rest.replaced
    const text = ends_alike ? strpart(rest.text, 0, length) : rest.text
    ghost.Draw(offer.buffer, line('.'), col('.') - 1, text)
    if !offer.was_shown
      offer.was_shown = true
      server.Notify('mistralLsp/didShow', {})
    endif
  endif
  return rest
enddef

# The text left of the cursor is the file's already: where an answer would change it, there is none.
def Take(asked: dict<any>, items: list<any>, is_final: bool)
  if asked isnot offer
    return
  endif
  if empty(items)
    if is_final && !has_key(asked, 'text')
      Drop()
    endif
    return
  endif
  const item = items[0]
  const start = item.range.start.character
  const typed = strpart(asked.before, start)
  if start > strlen(asked.before) || stridx(item.insertText, typed) != 0
    return
  endif
  asked.text = strpart(item.insertText, strlen(typed))
  asked.replaced = strpart(asked.after, 0, item.range.end.character - strlen(asked.before))
  Show()
  # Nothing else draws between two keys.
  redraw
enddef

def Ask(is_invoked: bool)
  const buffer = bufnr()
  if !(is_on || is_invoked) || !IsInserting() || !documents.IsOpen(buffer)
    Drop()
    return
  endif
  listener_flush(buffer)
  final kept = empty(offer) ? {} : Rest()
  final older = offer
  const column = col('.') - 1
  offer = {
    buffer: buffer,
    row: line('.'),
    before: strpart(getline('.'), 0, column),
    after: strpart(getline('.'), column),
    was_shown: get(older, 'was_shown', false),
    request: {},
  }
  extend(offer, kept)
  final asked = offer
  asked.request = server.Complete(documents.Place(buffer, line('.'), column), is_invoked,
    (items, is_final) => Take(asked, items, is_final))
  # Only now, so that the server can go on with work that serves both.
  if !empty(older)
    server.Cancel(older.request)
  endif
enddef

# Follows the text and the cursor. One key can bring several events: they end in one question.
export def Changed()
  if !IsInserting()
    Clear()
    return
  endif
  const rest = has_key(offer, 'text') ? Show() : {}
  timer_stop(timer)
  if !IsSomething(rest) || server.IsWaiting(offer.request)
    timer = timer_start(0, (_) => Ask(false))
  endif
enddef

export def Trigger()
  timer_stop(timer)
  Ask(true)
enddef

export def Toggle()
  Clear()
  is_on = !is_on
  echo $'mistral-lsp is {is_on ? "on" : "off"}'
enddef

export def Dismiss()
  if IsSomething(Rest()) && documents.IsOpen(offer.buffer)
    listener_flush(offer.buffer)
    server.Notify('mistralLsp/didReject', documents.Place(offer.buffer, line('.'), col('.') - 1))
    Clear()
  endif
enddef

# What a key types: the part, as one step of undo, or what the key always meant.
export def Keys(part: string, otherwise: string): string
  return IsInserting() && IsSomething(Rest())
    ? $"\<C-g>u\<Cmd>call mistral_lsp#suggestion#Accept{part}()\<CR>\<C-g>u"
    : otherwise
enddef

def Accept(part: string, rest: dict<any>)
  const column = col('.') - 1
  const present = getline('.')
  const covered = part == rest.text ? strlen(rest.replaced) : 0
  const written = split(strpart(present, 0, column) .. part, "\n", true)
  const row = line('.') + len(written) - 1
  setline('.', written[0])
  append('.', written[1 :])
  setline(row, written[-1] .. strpart(present, column + covered))
  cursor(row, strlen(written[-1]) + 1)
  server.Notify('mistralLsp/didAccept', {acceptedLength: strchars(part)})
  Changed()
enddef

export def AcceptAll()
  const rest = Rest()
  Accept(rest.text, rest)
enddef

export def AcceptWord()
  const rest = Rest()
  Accept(matchstr(rest.text, '^\_s*\%(\k\+\|[^[:keyword:][:space:]]\+\)\|^\_.*'), rest)
enddef

# The rest of the line; at a line's end, the next line.
export def AcceptLine()
  const rest = Rest()
  Accept(matchstr(rest.text, '^\n*[^\n]*'), rest)
enddef
