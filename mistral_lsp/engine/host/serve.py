"""The host's main loop: serves one loaded model to all editors of a user.

Native libraries run here, not in the language server, because they can abort their process. The
host exits some time after its last client has left.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mistral_lsp.engine import frames
from mistral_lsp.engine.host.connection import Confused, Connection, Crowd
from mistral_lsp.engine.host.load import Ready, load
from mistral_lsp.engine.unforeseen import told, watched
from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.system import endpoint, processes
from mistral_lsp.system.memory import FreedMemory
from mistral_lsp.system.time_slices import take_short_turns
from mistral_lsp.text.shown import seen
from mistral_lsp.types import EngineError, Usage, UserError

FIRST_CLIENT_SECONDS = 5.0
KEEP_STATES_SECONDS = 30.0
MOST_PARTS = 1_000
"""The most parts of one prompt."""
LONGEST_PIECE = 256
"""The most bytes of a token. This limits a prompt's text before it is tokenised."""
THE_ENGINE = "The engine"
MOST_PENDING = 1_000
"""The most unanswered requests of one client."""
STOPPED = ""
STEPPED_ASIDE = "A request that somebody waits for took the engine."

Key = tuple[int, int]
"""The number of a client, and the id of one of its generations."""
Send = Callable[[frames.Reply], object]


@dataclass
class Admitted:
    """A generation that is waiting or running.

    A `background` generation is stopped when a foreground generation begins. `why` is the reason
    for a stop; None: not stopped.
    """

    background: bool
    why: str | None = None


class Host:
    """Serves one model to any number of clients, with one computing thread."""

    def __init__(self, listening: socket.socket, path: Path) -> None:
        """`listening` is a socket bound to `path`. The model is loaded at a client's request."""
        self._listening = listening
        self._path = path
        self._file = path.stat().st_ino
        self._ready: Ready | None = None
        self._computing = ThreadPoolExecutor(1, "engine", take_short_turns, (False,))
        # Counting has its own thread: it must not wait for another editor's prompt.
        self._counting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="count")
        self._keep_seconds: dict[int, int | None] = {}  # by client number
        self._last_keep_seconds = 0
        self._remember: bool | None = None
        self._departure: asyncio.TimerHandle | None = None
        # Guards `_running`, so that an abort never hits another generation.
        self._turn = threading.Lock()
        self._running: Key | None = None
        self._admitted: dict[Key, Admitted] = {}
        self._crowd = Crowd()
        self._left = asyncio.Event()
        self._freed_memory = FreedMemory()

    async def run(self) -> None:
        """Serves until no client needs the host, then ends the process."""
        loop = asyncio.get_running_loop()
        await endpoint.serve(self._listening, self._serve)
        processes.on_end(self._leave)
        self._departure = loop.call_later(FIRST_CLIENT_SECONDS, self._leave)
        try:
            await self._left.wait()
            if self._ready is not None and self._remember is not None:
                keeping = self._computing.submit(self._ready.leave, self._remember)
                keeping.result(KEEP_STATES_SECONDS)
        finally:
            # The computing thread may be in a native call; nothing it holds outlives the process.
            os._exit(0)

    def _leave(self) -> None:
        """Removes the socket and ends `run`. The next client then starts a new host."""
        with suppress(OSError):
            # The path may belong to another host by now.
            if self._path.stat().st_ino == self._file:
                self._path.unlink()
        self._left.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client until it leaves."""
        if self._left.is_set() or self._crowd.is_full:
            writer.close()
            return
        client = Connection(self._crowd, reader, writer)
        self._greet(client)
        pending: set[asyncio.Task[None]] = set()
        try:
            with client.until_it_goes():
                while not isinstance(request := await client.request(), frames.Leave):
                    if self._is_done(client, request):
                        continue
                    if len(pending) == MOST_PENDING:
                        raise Confused(f"it waits for {MOST_PENDING} answers and asks more")
                    task = asyncio.create_task(self._answer(client, request))
                    pending.add(task)
                    task.add_done_callback(pending.discard)
                    # The language servers notice the exit, and start a new host.
                    watched(task, THE_ENGINE, lambda said: os._exit(70))
                self._keep_seconds[client.number] = 0
        finally:
            self._forget(client.number)

    def _greet(self, client: Connection) -> None:
        self._keep_seconds[client.number] = None
        if self._departure is not None:
            self._departure.cancel()
        client.send(frames.Hello(os.getpid()))

    def _is_done(self, client: Connection, request: frames.Request) -> bool:
        """Does the quick part of a request. False: there is also a slow part. Raises Confused."""
        if isinstance(request, frames.Cancel):
            self._cancel((client.number, request.id), STOPPED)
        elif isinstance(request, frames.Ping):
            client.send(frames.Pong())
        else:
            if isinstance(request, frames.Generate):
                self._admit((client.number, request.id), request.decoding.background)
            if isinstance(request, frames.Load):
                self._heed(client, request)
            return False
        return True

    def _heed(self, client: Connection, wishes: frames.Load) -> None:
        # The host's name stands for its model and settings. A client that asks for others has
        # connected to the wrong host; it must not choose for the other clients.
        if frames.name_of(wishes) != self._path.stem:
            client.send(frames.Failed("This engine serves another model."))
            raise Confused("it wants another model")
        self._keep_seconds[client.number] = wishes.keep_loaded_seconds
        if wishes.remember_windows is not None:
            self._remember = wishes.remember_windows

    def _forget(self, client: int) -> None:
        for key in self._admitted:
            if key[0] == client:
                self._cancel(key, STOPPED)
        wish = self._keep_seconds.pop(client)
        if wish is not None:
            self._last_keep_seconds = wish
        if self._keep_seconds:
            return
        wait = self._last_keep_seconds if self._ready is not None else 0
        if wait:
            self._departure = asyncio.get_running_loop().call_later(wait, self._leave)
        else:
            self._leave()

    def _admit(self, key: Key, background: bool) -> None:
        if key in self._admitted:
            raise Confused(f"it asks for {key[1]} twice")
        self._admitted[key] = Admitted(background)
        if not background:
            for other, admitted in self._admitted.items():
                if admitted.background:
                    self._cancel(other, STEPPED_ASIDE)

    def _cancel(self, key: Key, why: str) -> None:
        if key not in self._admitted:
            return
        self._admitted[key].why = why
        with self._turn:
            if self._ready is not None and self._running == key:
                self._ready.backend.abort(True)

    async def _answer(self, client: Connection, request: frames.Request) -> None:
        loop = asyncio.get_running_loop()

        def send(reply: frames.Reply) -> None:
            loop.call_soon_threadsafe(client.send, reply)

        if isinstance(request, frames.Load):
            if self._ready is not None:  # at once: it must not wait for another editor's prompt
                send(frames.Loaded(self._ready.model))
            else:
                await loop.run_in_executor(self._computing, self._load, request, send)
        elif isinstance(request, (frames.Count, frames.Weigh)):
            await loop.run_in_executor(self._counting, self._count, request, send)
        elif isinstance(request, frames.Generate):
            key = (client.number, request.id)
            await loop.run_in_executor(self._computing, self._generate, key, request, send)
            del self._admitted[key]

    def _load(self, request: frames.Load, send: Send) -> None:
        try:
            if self._ready is None:
                with told(f"Loading {request.model or 'the embedded model'}"):
                    self._ready = load(request)
                gc.freeze()  # the model's objects stay; the collector need not visit them
            send(frames.Loaded(self._ready.model))
        except UserError as error:
            send(frames.Failed(seen(str(error))))

    def _count(self, request: frames.Count | frames.Weigh, send: Send) -> None:
        try:
            with told(THE_ENGINE):
                tokenizer = self._loaded().tokenizer
                if isinstance(request, frames.Count):
                    counted = [tokenizer.text(text) for text in request.texts]
                else:
                    counted, _ = tokenizer.parts(request.prompt)
            send(frames.Counted(request.id, list(map(len, counted))))
        except UserError as error:
            send(frames.Counted(request.id, [], str(error)))

    def _generate(self, key: Key, request: frames.Generate, send: Send) -> None:
        admitted = self._admitted[key]
        error = ""
        try:
            ready = self._loaded()
            with self._turn:
                ready.backend.abort(False)
                self._running = key
            ready.decoder.usage = Usage()
            # A cancel before this point is recorded in `why`; one after it aborts the eval.
            if admitted.why is None:
                self._decode(ready, admitted, request, send)
        except UserError as failure:
            error = str(failure)
        finally:
            with self._turn:
                self._running = None
        usage = self._ready.decoder.usage if self._ready is not None else Usage()
        send(frames.Finished(request.id, usage, error or admitted.why or ""))
        self._freed_memory.give_back()

    def _decode(
        self, ready: Ready, admitted: Admitted, request: frames.Generate, send: Send
    ) -> None:
        with told(THE_ENGINE):
            prompt = self._tokens(ready, request)
        with ready.sequence.kept_sound(), told(THE_ENGINE):
            for text, probability in ready.decoder.write(
                prompt,
                request.decoding.max_tokens,
                lambda: admitted.why is not None,
                request.decoding.line,
            ):
                send(frames.Decoded(request.id, text, probability, ready.decoder.usage))

    def _tokens(self, ready: Ready, request: frames.Generate) -> PromptTokens:
        """Gives the prompt's tokens. Raises EngineError if they don't fit into the window."""
        parts, window = request.prompt.parts, ready.model.window
        if len(parts) > MOST_PARTS:
            raise EngineError(f"The prompt has {len(parts)} parts, more than anybody needs.")
        length = sum(len(part.text) for part in parts)
        if length > window * LONGEST_PIECE:
            raise EngineError(f"{length:,} characters don't fit into a window of {window} tokens.")
        prompt = ready.tokenizer.prompt(request.prompt)
        most = request.decoding.max_tokens
        if len(prompt.ids) + most > window:
            raise EngineError(
                f"The prompt has {len(prompt.ids)} tokens; {most} more don't fit "
                f"into a window of {window}. Lower mistralLsp.maxTokens."
            )
        return prompt

    def _loaded(self) -> Ready:
        if self._ready is None:
            raise EngineError("No model is loaded yet.")
        return self._ready


def serve(listening: socket.socket, path: Path) -> None:
    """Serves at the socket bound to `path` until no client needs the host; then exits."""
    take_short_turns()
    asyncio.run(Host(listening, path).run())
