vim9script
# Starts the server and speaks its protocol. Columns are bytes, as Vim's own are.

var job: any = null_job
var is_ready = false
var waiting: list<func> = []
var state = 'stopped'
var last_token = 0
# Who waits for growing answers, by token.
var listeners: dict<func> = {}

def Warn(text: string)
  echohl WarningMsg
  echomsg $'mistral-lsp: {text}'
  echohl None
enddef

def Channel(): channel
  return job_getchannel(job)
enddef

export def IsRunning(): bool
  return job != null_job && job_status(job) == 'run'
enddef

# For a statusline.
export def Status(): string
  return $'mistral {state}'
enddef

def OnMessage(_: channel, message: dict<any>)
  const method = get(message, 'method', '')
  if method == '$/progress'
    const Listener = get(listeners, string(message.params.token), null_function)
    if Listener != null_function
      Listener(message.params.value.items)
    endif
  elseif method == 'mistralLsp/status'
    state = message.params.state
    if state == 'failed'
      Warn(message.params.message)
    endif
    redrawstatus
  elseif method == 'window/showMessage'
    Warn(message.params.message->substitute('^mistral-lsp: ', '', ''))
  endif
enddef

def OnExit(ended: job, code: number)
  if ended == job
    job = null_job
    is_ready = false
    state = 'stopped'
    redrawstatus
    Warn($'the server ended with code {code}: use `:MistralLsp restart`')
  endif
enddef

def OnInitialized(_: channel, _: dict<any>)
  is_ready = true
  Notify('initialized', {})
  const calls = waiting
  waiting = []
  for Call in calls
    Call()
  endfor
enddef

export def Start()
  const command: list<string> = get(g:, 'mistral_lsp_command', ['mistral-lsp'])
  if IsRunning() || state == 'missing'
    return
  elseif !executable(command[0])
    state = 'missing'
    Warn($'cannot run {command[0]}: install it or set g:mistral_lsp_command')
    return
  endif
  job = job_start(command, {
    in_mode: 'lsp', out_mode: 'lsp', err_io: 'null', out_cb: OnMessage, exit_cb: OnExit,
  })
  state = 'starting'
  ch_sendexpr(Channel(), {method: 'initialize', params: {
    processId: getpid(),
    rootUri: Uri(getcwd()),
    capabilities: {
      general: {positionEncodings: ['utf-8']},
      textDocument: {inlineCompletion: {dynamicRegistration: false}},
    },
    initializationOptions: get(g:, 'mistral_lsp_settings', {}),
  }}, {callback: OnInitialized})
enddef

# Ends the server without a word about its end.
export def Stop()
  final old = job
  job = null_job
  is_ready = false
  state = 'stopped'
  if old != null_job
    job_stop(old)
  endif
enddef

# Does something now, or once the server has answered its first message.
export def WhenReady(Call: func)
  if is_ready
    Call()
  else
    waiting->add(Call)
  endif
enddef

export def Notify(method: string, params: dict<any>)
  if is_ready && IsRunning()
    ch_sendexpr(Channel(), {method: method, params: params})
  endif
enddef

# A path as the protocol names it.
export def Uri(path: string): string
  const bytes = range(strlen(path))->mapnew((_, at) => strpart(path, at, 1))
  return 'file://' .. bytes->mapnew((_, byte) =>
    byte =~ '[A-Za-z0-9/._~-]' ? byte : printf('%%%02X', char2nr(byte)))->join('')
enddef

# Asks for completions. `OnItems` gets each growing answer and the final one, and whether it is that.
export def Complete(place: dict<any>, is_invoked: bool, OnItems: func): dict<any>
  if !is_ready || !IsRunning()
    return {}
  endif
  last_token += 1
  const token = last_token
  listeners[string(token)] = (items) => OnItems(items, false)
  const params = extendnew(place, {
    context: {triggerKind: is_invoked ? 1 : 2},
    partialResultToken: token,
  })
  const sent = ch_sendexpr(Channel(), {method: 'textDocument/inlineCompletion', params: params}, {
    callback: (_, reply) => {
      if has_key(listeners, string(token))
        remove(listeners, string(token))
        const result = get(reply, 'result', null)
        OnItems(type(result) == v:t_dict ? result.items : [], true)
      endif
    }
  })
  return {id: sent.id, token: token}
enddef

export def IsWaiting(request: dict<any>): bool
  return has_key(listeners, string(get(request, 'token', 0)))
enddef

export def Cancel(request: dict<any>)
  if IsWaiting(request)
    remove(listeners, string(request.token))
    Notify('$/cancelRequest', {id: request.id})
  endif
enddef

export def ShowStatus()
  if !is_ready
    Warn('no server is running: try `:MistralLsp restart`')
    return
  endif
  const params = {command: 'mistralLsp.status'}
  const reply = ch_evalexpr(Channel(), {method: 'workspace/executeCommand', params: params})
  for [name, value] in items(get(reply, 'result', {}))->sort((a, b) => a[0] > b[0] ? 1 : -1)
    echo $'{name}: {type(value) == v:t_string ? value : json_encode(value)}'
  endfor
enddef
