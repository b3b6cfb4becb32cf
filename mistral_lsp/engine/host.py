"""The engine's own process: serves one loaded model to all of its user's editors.

A native library can abort the process it runs in, so it never runs in a server's. The host leaves
some time after its last client has gone.
"""

from __future__ import annotations

import asyncio
import codecs
import gc
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from mistral_lsp.engine import frames
from mistral_lsp.engine.base import EngineError
from mistral_lsp.engine.load import Ready, load
from mistral_lsp.engine.turns import take_short_turns
from mistral_lsp.memory import Gaps
from mistral_lsp.types import Usage, UserError

FIRST_CLIENT_SECONDS = 5.0
KEEP_STATES_SECONDS = 30.0
STOPPED = ""
STEPPED_ASIDE = "A request that somebody waits for took the engine."

Key = tuple[int, int]
"""A client and one of its generations."""


class Host:
    """One model, one thread that computes, any number of clients."""

    def __init__(self, listening: socket.socket, path: Path) -> None:
        """It listens at `path`. Nothing is loaded until a client asks."""
        self._listening = listening
        self._path = path
        self._file = path.stat().st_ino
        self._ready: Ready | None = None
        self._computing = ThreadPoolExecutor(1, "engine", take_short_turns, (False,))
        # Tokens are counted beside the computing, or they would wait for another editor's prompt.
        self._counting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="count")
        self._keep_seconds: dict[int, int | None] = {}  # of every client
        self._last_keep_seconds = 0
        self._remember: bool | None = None
        self._departure: asyncio.TimerHandle | None = None
        # Held from one generation to the next, so that an abort never hits the wrong one.
        self._turn = threading.Lock()
        self._running: Key | None = None
        self._cancelled: dict[Key, str | None] = {}  # why, of every generation not yet finished
        self._background: set[Key] = set()  # those of them that step aside
        self._left = asyncio.Event()
        self._gaps = Gaps()

    async def run(self) -> None:
        """Serves until nobody needs it."""
        loop = asyncio.get_running_loop()
        await asyncio.start_unix_server(
            self._serve, sock=self._listening, limit=frames.LARGEST_FRAME
        )
        loop.add_signal_handler(signal.SIGTERM, self._leave)
        self._departure = loop.call_later(FIRST_CLIENT_SECONDS, self._leave)
        try:
            await self._left.wait()
            if self._ready is not None and self._remember is not None:
                keeping = self._computing.submit(self._ready.leave, self._remember)
                keeping.result(KEEP_STATES_SECONDS)
        finally:
            # The computing thread may be deep in a native call; nothing it holds outlives us.
            os._exit(0)

    def _leave(self) -> None:
        """Whoever looks for a host from here on finds none, or one that does not greet."""
        with suppress(OSError):
            # Somebody may have taken the name away, and another host may have it now.
            if self._path.stat().st_ino == self._file:
                self._path.unlink()
        self._left.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client until it goes."""
        if self._left.is_set():
            writer.close()
            return
        client = id(writer)
        self._greet(client, writer)
        tasks: set[asyncio.Task[None]] = set()
        try:
            while not isinstance(request := await frames.read_request(reader), frames.Leave):
                if isinstance(request, frames.Cancel):
                    self._cancel((client, request.id), STOPPED)
                    continue
                if isinstance(request, frames.Ping):
                    frames.write(writer, frames.Pong())
                    continue
                if isinstance(request, frames.Generate):
                    self._admit((client, request.id), request.background)
                task = asyncio.create_task(self._answer(client, request, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(_die_of_bugs)
            self._keep_seconds[client] = 0
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._forget(client)
            writer.close()

    def _greet(self, client: int, writer: asyncio.StreamWriter) -> None:
        self._keep_seconds[client] = None
        if self._departure is not None:
            self._departure.cancel()
        frames.write(writer, frames.Hello(os.getpid()))

    def _forget(self, client: int) -> None:
        for key in self._cancelled:
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
        self._cancelled[key] = None
        if background:
            self._background.add(key)
        else:
            for other in self._background:
                self._cancel(other, STEPPED_ASIDE)

    def _cancel(self, key: Key, why: str) -> None:
        if key not in self._cancelled:
            return
        self._cancelled[key] = why
        with self._turn:
            if self._ready is not None and self._running == key:
                self._ready.backend.abort(True)

    async def _answer(
        self, client: int, request: frames.Request, writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()

        def send(reply: frames.Reply) -> None:
            loop.call_soon_threadsafe(frames.write, writer, reply)

        if isinstance(request, frames.Load):
            self._heed(client, request)
            if self._ready is not None:  # said at once, not behind another editor's prompt
                send(frames.Loaded(self._ready.model))
            else:
                await loop.run_in_executor(self._computing, self._load, request, send)
        elif isinstance(request, (frames.Count, frames.Weigh)):
            await loop.run_in_executor(self._counting, self._count, request, send)
        elif isinstance(request, frames.Generate):
            key = (client, request.id)
            await loop.run_in_executor(self._computing, self._generate, key, request, send)
            del self._cancelled[key]
            self._background.discard(key)

    def _heed(self, client: int, wishes: frames.Load) -> None:
        if client in self._keep_seconds:
            self._keep_seconds[client] = wishes.keep_loaded_seconds
        if wishes.remember_windows is not None:
            self._remember = wishes.remember_windows

    def _load(self, request: frames.Load, send: Callable[[frames.Reply], object]) -> None:
        try:
            if self._ready is None:
                self._ready = load(request)
                gc.freeze()  # it all stays, so that looking through it again is time lost
            send(frames.Loaded(self._ready.model))
        except UserError as error:
            send(frames.Failed(str(error)))

    def _count(
        self, request: frames.Count | frames.Weigh, send: Callable[[frames.Reply], object]
    ) -> None:
        try:
            tokenizer = self._loaded().tokenizer
            if isinstance(request, frames.Count):
                counted = [tokenizer.text(text) for text in request.texts]
            else:
                counted, _ = tokenizer.parts(request.prompt)
            send(frames.Counted(request.id, list(map(len, counted))))
        except UserError as error:
            send(frames.Counted(request.id, [], str(error)))

    def _generate(
        self,
        key: Key,
        request: frames.Generate,
        send: Callable[[frames.Reply], object],
    ) -> None:
        ready = self._loaded()
        with self._turn:
            ready.backend.abort(False)
            self._running = key
        ready.loop.usage = Usage()
        error = ""
        # A cancel that came before this line is on record; one that comes later aborts.
        try:
            if self._cancelled[key] is None:
                self._decode(ready, key, request, send)
        except UserError as failure:
            error = str(failure)
        finally:
            with self._turn:
                self._running = None
        send(frames.Finished(request.id, ready.loop.usage, error or self._cancelled[key] or ""))
        self._gaps.give_back()

    def _decode(
        self,
        ready: Ready,
        key: Key,
        request: frames.Generate,
        send: Callable[[frames.Reply], object],
    ) -> None:
        ids, owed = ready.tokenizer.prompt(request.prompt)
        if len(ids) + request.max_tokens > ready.model.window:
            raise EngineError(
                f"The prompt has {len(ids)} tokens; {request.max_tokens} more don't fit "
                f"into a window of {ready.model.window}. Lower mistralLsp.maxTokens."
            )
        characters = codecs.getincrementaldecoder("utf-8")()
        for piece, probability in ready.loop.generate(
            ids,
            request.max_tokens,
            lambda: self._cancelled[key] is not None,
            owed,
            request.prompt.line,
        ):
            try:
                text = characters.decode(piece)
            except UnicodeDecodeError:
                return  # the model wrote no text; what came before it stands
            send(frames.Decoded(request.id, text, probability, ready.loop.usage))

    def _loaded(self) -> Ready:
        if self._ready is None:
            raise EngineError("No model is loaded yet.")
        return self._ready


def _die_of_bugs(task: asyncio.Task[None]) -> None:
    """Ends the process at an error that nobody foresaw: the servers then know, and start anew.

    The log tells where it was and its kind, and not what it says, which may be the user's code.
    """
    error = None if task.cancelled() else task.exception()
    if error is not None:
        frames_of_error = traceback.format_tb(error.__traceback__)
        sys.stderr.write("".join([*frames_of_error, type(error).__qualname__, "\n"]))
        sys.stderr.flush()
        os._exit(70)


def serve(listening: socket.socket, path: Path) -> None:
    """Serves at a socket that listens at `path`, until nobody needs it; ends the process."""
    take_short_turns()
    asyncio.run(Host(listening, path).run())
